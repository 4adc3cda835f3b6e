#include "supervise/secret_mask.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <utility>

#include "contract/secret_names.h"
#include "supervise/literal_automaton.h"

namespace labdeck::supervise {

namespace {

constexpr std::array<std::string_view, 4> plain_values = {"true", "false", "null", "none"};
constexpr std::string_view blanks = " \t\r\n\v\f";
// Up to as many bytes to begin with are looked for by memchr.
constexpr std::size_t searched_bytes_max = 3;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

char lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_value(unsigned char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_worth_masking(std::string_view value) {
    if (value.size() < SecretMask::value_bytes_min) return false;
    std::string small(value);
    std::transform(small.begin(), small.end(), small.begin(), lower);
    return std::find(plain_values.begin(), plain_values.end(), small) == plain_values.end();
}

/// A blank may be written as +, so the two are the same among decoded bytes.
unsigned char folded(unsigned char c) {
    return c == '+' ? ' ' : c;
}

std::string folded(std::string_view text) {
    std::string out(text);
    std::replace(out.begin(), out.end(), '+', ' ');
    return out;
}

}  // namespace

struct SecretMask::Impl {
    /// Bytes [begin, end) of the stream, counted from its beginning.
    struct Span {
        std::uint64_t begin = 0, end = 0;
    };

    /// Where a stream stands between two pieces.
    struct Stream {
        int plain = 0;    ///< State of the automaton over bytes.
        int decoded = 0;  ///< State of the one over decoded bytes.
        int escape = 0;   ///< How much of a %XX has been seen: 0, 1 or 2 bytes.
        unsigned char escape_digit = 0;
        std::uint64_t escape_begin = 0;
        std::vector<std::uint64_t> symbols;  ///< Where the last decoded bytes began; a ring.
        std::uint64_t symbol_count = 0;
        std::uint64_t position = 0;  ///< Bytes seen.
        std::uint64_t handed = 0;    ///< Bytes that were handed on or replaced.
        std::uint64_t mark_end = 0;  ///< Where what the last mark stands for ends.
        std::string held;            ///< Bytes from `handed` to `position`.
        std::vector<Span> found;     ///< What is to be replaced; apart from each other, in order.
    };

    explicit Impl(const std::vector<std::string>& values) {
        std::vector<std::string> decoded_values;
        for (const std::string& value : values) {
            decoded_values.push_back(folded(value));
            add_beginnings(value);
        }
        plain.build(values);
        decoded.build(decoded_values);
        for (int c = 0; c < 256; ++c) {
            if (begins.test(static_cast<std::size_t>(c)))
                first_bytes.push_back(static_cast<unsigned char>(c));
        }
        own = fresh();
    }

    Stream fresh() const {
        Stream stream;
        std::size_t size = 1;
        while (size < decoded.length_max()) size *= 2;
        stream.symbols.resize(size);
        return stream;
    }

    void add_pair(unsigned char first, unsigned char second) {
        begins.set(first);
        pairs.set(static_cast<std::size_t>(first) << 8 | second);
    }

    /// The two bytes that an occurrence of the value can begin with.
    void add_beginnings(std::string_view value) {
        const auto ways = [](unsigned char c) {
            return folded(c) == ' ' ? std::vector<unsigned char>{' ', '+'} : std::vector<unsigned char>{c};
        };
        const auto first = static_cast<unsigned char>(value[0]);
        for (const unsigned char a : ways(first)) {
            for (const unsigned char b : ways(static_cast<unsigned char>(value[1]))) add_pair(a, b);
            add_pair(a, '%');
            constexpr std::string_view digits = "0123456789abcdef0123456789ABCDEF";
            add_pair('%', static_cast<unsigned char>(digits[a >> 4]));
            add_pair('%', static_cast<unsigned char>(digits[(a >> 4) + 16U]));
        }
    }

    bool may_begin(std::string_view bytes, std::size_t at) const {
        if (at + 1 >= bytes.size()) return true;
        const auto first = static_cast<unsigned char>(bytes[at]);
        return pairs[static_cast<std::size_t>(first) << 8 | static_cast<unsigned char>(bytes[at + 1])];
    }

    /// Finds the places in one piece where a value may begin, in order.
    class Search {
    public:
        Search(const Impl& mask, std::string_view bytes) : mask_(mask), bytes_(bytes) {}

        std::size_t next(std::size_t from) {
            if (mask_.first_bytes.size() > searched_bytes_max) return next_by_table(from);
            while (from < bytes_.size()) {
                from = next_by_memchr(from);
                if (from == bytes_.size() || mask_.may_begin(bytes_, from)) break;
                ++from;
            }
            return from;
        }

    private:
        std::size_t next_by_memchr(std::size_t from) {
            std::size_t nearest = bytes_.size();
            for (std::size_t k = 0; k < mask_.first_bytes.size(); ++k) {
                if (known_[k] < from || !looked_) {
                    const void* const hit =
                        std::memchr(bytes_.data() + from, mask_.first_bytes[k], bytes_.size() - from);
                    known_[k] = hit == nullptr
                                    ? bytes_.size()
                                    : static_cast<std::size_t>(static_cast<const char*>(hit) - bytes_.data());
                }
                nearest = std::min(nearest, known_[k]);
            }
            looked_ = true;
            return nearest;
        }

        std::size_t next_by_table(std::size_t from) const {
            // Pairs alone: bytes that a value begins with are everywhere when there are many values.
            while (from + 1 < bytes_.size() && !mask_.may_begin(bytes_, from)) ++from;
            const bool at_last = from + 1 == bytes_.size();
            return at_last && !mask_.begins[static_cast<unsigned char>(bytes_[from])] ? bytes_.size() : from;
        }

        const Impl& mask_;
        const std::string_view bytes_;
        std::array<std::size_t, searched_bytes_max> known_{};  ///< The next place of each byte.
        bool looked_ = false;
    };

    static void add(Stream& stream, Span span) {
        while (!stream.found.empty() && span.begin < stream.found.back().end) {
            span.begin = std::min(span.begin, stream.found.back().begin);
            span.end = std::max(span.end, stream.found.back().end);
            stream.found.pop_back();
        }
        stream.found.push_back(span);
    }

    std::uint64_t symbol_begin(const Stream& stream, std::size_t back) const {
        return stream.symbols[(stream.symbol_count - back) & (stream.symbols.size() - 1)];
    }

    void take_symbol(Stream& stream, unsigned char symbol, Span at) const {
        stream.decoded = decoded.step(stream.decoded, folded(symbol));
        stream.symbols[stream.symbol_count++ & (stream.symbols.size() - 1)] = at.begin;
        if (const std::size_t length = decoded.match_length(stream.decoded))
            add(stream, {symbol_begin(stream, length), at.end});
    }

    void decode(Stream& stream, unsigned char byte, std::uint64_t at) const {
        const int value = hex_value(byte);
        if (stream.escape == 1 && value >= 0) {
            stream.escape = 2;
            stream.escape_digit = byte;
            return;
        }
        if (stream.escape == 2 && value >= 0) {
            stream.escape = 0;
            const int whole = hex_value(stream.escape_digit) * 16 + value;
            return take_symbol(stream, static_cast<unsigned char>(whole), {stream.escape_begin, at + 1});
        }
        // What began like a %XX is none, and stands for itself.
        const int stood = std::exchange(stream.escape, 0);
        if (stood >= 1) take_symbol(stream, '%', {stream.escape_begin, stream.escape_begin + 1});
        if (stood == 2)
            take_symbol(stream, stream.escape_digit, {stream.escape_begin + 1, stream.escape_begin + 2});
        if (byte == '%') {
            stream.escape = 1;
            stream.escape_begin = at;
        } else {
            take_symbol(stream, byte, {at, at + 1});
        }
    }

    void step(Stream& stream, unsigned char byte, std::uint64_t at) const {
        stream.plain = plain.step(stream.plain, byte);
        if (const std::size_t length = plain.match_length(stream.plain))
            add(stream, {at + 1 - length, at + 1});
        decode(stream, byte, at);
    }

    static bool is_at_rest(const Stream& stream) {
        return stream.plain == 0 && stream.decoded == 0 && stream.escape == 0;
    }

    /// Nothing before this place can become part of an occurrence that is not found yet.
    std::uint64_t certain(const Stream& stream) const {
        std::uint64_t until = stream.position - plain.depth(stream.plain);
        if (const std::size_t depth = decoded.depth(stream.decoded))
            until = std::min(until, symbol_begin(stream, depth));
        const bool escape_may_begin =
            stream.escape == 1 ||
            (stream.escape == 2 && pairs.test(std::size_t{'%'} << 8 | stream.escape_digit));
        if (escape_may_begin) until = std::min(until, stream.escape_begin);
        return until;
    }

    /// Hands on what stands before `until`, with marks in the place of what was found.
    static void hand_on(Stream& stream, std::string_view piece, std::uint64_t until, const Out& out) {
        const std::uint64_t held_begin = stream.handed;
        const std::uint64_t piece_begin = stream.position - piece.size();
        const auto pass = [&](std::uint64_t begin, std::uint64_t end) {
            if (begin < std::min(end, piece_begin)) {
                const std::string_view held = stream.held;
                out(held.substr(begin - held_begin, std::min(end, piece_begin) - begin));
            }
            if (std::max(begin, piece_begin) < end) {
                const std::uint64_t from = std::max(begin, piece_begin);
                out(piece.substr(from - piece_begin, end - from));
            }
        };
        std::size_t settled = 0;
        for (const Span& span : stream.found) {
            if (span.begin > until) break;
            ++settled;
            if (span.begin > stream.handed) pass(stream.handed, span.begin);
            if (span.begin >= stream.mark_end) out(mark);
            stream.handed = std::max(stream.handed, span.end);
            stream.mark_end = span.end;
        }
        stream.found.erase(stream.found.begin(), stream.found.begin() + static_cast<std::ptrdiff_t>(settled));
        if (until > stream.handed) {
            pass(stream.handed, until);
            stream.handed = until;
        }
        keep(stream, piece, held_begin);
    }

    static void keep(Stream& stream, std::string_view piece, std::uint64_t held_begin) {
        const std::uint64_t piece_begin = stream.position - piece.size();
        if (stream.handed >= piece_begin) {
            stream.held.assign(piece.substr(stream.handed - piece_begin));
        } else {
            stream.held.erase(0, stream.handed - held_begin);
            stream.held.append(piece);
        }
    }

    void feed(Stream& stream, std::string_view bytes, const Out& out) const {
        Search search(*this, bytes);
        const std::uint64_t begin = stream.position;
        std::size_t i = 0;
        while (i < bytes.size()) {
            if (is_at_rest(stream)) i = search.next(i);
            if (i == bytes.size()) break;
            step(stream, static_cast<unsigned char>(bytes[i]), begin + i);
            ++i;
        }
        stream.position = begin + bytes.size();
        hand_on(stream, bytes, certain(stream), out);
    }

    LiteralAutomaton plain, decoded;
    std::bitset<256> begins;                  ///< Bytes that an occurrence can begin with.
    std::bitset<std::size_t{1} << 16> pairs;  ///< Two bytes that one can begin with.
    std::vector<unsigned char> first_bytes;
    Stream own;
};

SecretMask::SecretMask() = default;
SecretMask::SecretMask(SecretMask&&) noexcept = default;
SecretMask& SecretMask::operator=(SecretMask&&) noexcept = default;
SecretMask::~SecretMask() = default;

SecretMask::SecretMask(std::span<const std::string> values) {
    std::vector<std::string> worth;
    for (const std::string& value : values) {
        if (is_worth_masking(trimmed(value))) worth.emplace_back(trimmed(value));
    }
    std::sort(worth.begin(), worth.end());
    worth.erase(std::unique(worth.begin(), worth.end()), worth.end());
    if (!worth.empty()) impl_ = std::make_unique<Impl>(worth);
}

SecretMask SecretMask::of_env(const EnvMap& env, const EnvMap& also) {
    std::vector<std::string> values;
    for (const EnvMap* each : {&env, &also}) {
        for (const auto& [name, value] : *each) {
            if (value && contract::looks_secret(name)) values.push_back(*value);
        }
    }
    return SecretMask(values);
}

void SecretMask::feed(std::string_view bytes, const Out& out) {
    if (bytes.empty()) return;
    if (impl_) return impl_->feed(impl_->own, bytes, out);
    out(bytes);
}

void SecretMask::flush(const Out& out) {
    if (impl_) Impl::hand_on(impl_->own, {}, impl_->own.position, out);
}

void SecretMask::flush_doubtful(const Out& out) {
    if (impl_ && impl_->own.position - impl_->certain(impl_->own) < value_bytes_min) flush(out);
}

std::size_t SecretMask::held_bytes() const noexcept {
    return impl_ ? impl_->own.held.size() : 0;
}

bool SecretMask::masks_any() const noexcept {
    return impl_ != nullptr;
}

std::string SecretMask::masked(std::string_view text) const {
    if (!impl_) return std::string(text);
    std::string masked;
    const Out append = [&masked](std::string_view piece) { masked += piece; };
    Impl::Stream stream = impl_->fresh();
    impl_->feed(stream, text, append);
    Impl::hand_on(stream, {}, stream.position, append);
    return masked;
}

}  // namespace labdeck::supervise
