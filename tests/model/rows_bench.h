// rows_bench.h - sources with a tail each, for tests of what looks at rows.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string_view>

#include "data/source.h"
#include "model/merged_rows.h"
#include "model/tail.h"

namespace labdeck::model {

struct TestSource {
    explicit TestSource(std::uint32_t id = 1, std::size_t retained_blocks = 1024)
        : feed(std::make_shared<data::Feed>(4096, [] {})),
          writer({SourceId{id}, data::SourceKind::pipe, "test", {}}, 5000, data::SourceWriter::WhenFull::wait,
                 {}),
          tail(feed, retained_blocks * data::Block::bytes_max) {
        writer.add_feed(feed);
    }
    void say(std::string_view text, std::int64_t when_ns) {
        REQUIRE(writer.write(text, {when_ns}) == text.size());
        tail.drain();
    }

    std::shared_ptr<data::Feed> feed;
    data::SourceWriter writer;
    Tail tail;
};

}  // namespace labdeck::model
