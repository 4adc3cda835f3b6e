// grouped.h - long counts with a comma at every thousand.
#pragma once

#include <cstdint>
#include <string>

namespace labdeck::ui {

inline std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

}  // namespace labdeck::ui
