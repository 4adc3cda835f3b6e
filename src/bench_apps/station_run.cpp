#include "bench_apps/station_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace labdeck::bench_apps {

namespace {

constexpr std::array<std::string_view, 4> verdict_names = {"pass", "fail", "skipped", "incomplete"};
static_assert(static_cast<std::size_t>(Verdict::incomplete) + 1 == verdict_names.size());
constexpr std::array<std::string_view, 3> run_kind_names = {"acceptance", "pair", "overnight"};
static_assert(static_cast<std::size_t>(RunKind::overnight) + 1 == run_kind_names.size());
constexpr std::array<std::string_view, 4> run_state_names = {"running", "completed", "canceled", "timeout"};
static_assert(static_cast<std::size_t>(RunState::timeout) + 1 == run_state_names.size());

template <typename Enum, std::size_t count>
std::optional<Enum> of_name(const std::array<std::string_view, count>& names,
                            std::string_view name) noexcept {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
    return verdict_names[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> verdict_of_name(std::string_view name) noexcept {
    return of_name<Verdict>(verdict_names, name);
}

std::string_view run_kind_name(RunKind kind) noexcept {
    return run_kind_names[static_cast<std::size_t>(kind)];
}

std::optional<RunKind> run_kind_of_name(std::string_view name) noexcept {
    return of_name<RunKind>(run_kind_names, name);
}

std::string_view run_state_name(RunState state) noexcept {
    return run_state_names[static_cast<std::size_t>(state)];
}

std::optional<RunState> run_state_of_name(std::string_view name) noexcept {
    return of_name<RunState>(run_state_names, name);
}

double StepLimits::margin(double value) const noexcept {
    double margin = std::numeric_limits<double>::infinity();
    if (lower) margin = std::min(margin, value - *lower);
    if (upper) margin = std::min(margin, *upper - value);
    return margin;
}

bool StepLimits::hold(double value) const noexcept {
    return !std::isnan(value) && margin(value) >= 0;
}

Verdict StationRun::verdict() const noexcept {
    const auto is = [](Verdict wanted) {
        return [wanted](const StationStep& step) { return step.verdict == wanted; };
    };
    if (std::any_of(steps.begin(), steps.end(), is(Verdict::fail))) return Verdict::fail;
    const bool passed = !steps.empty() && std::all_of(steps.begin(), steps.end(), is(Verdict::pass));
    return passed ? Verdict::pass : Verdict::incomplete;
}

}  // namespace labdeck::bench_apps
