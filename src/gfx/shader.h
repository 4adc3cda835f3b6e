// shader.h - one GL program, from shaders/NAME.vert and shaders/NAME.frag.
//
// Thread: that of the GL context.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace labdeck::gfx {

class Shader {
public:
    /// Loads, compiles and links. A fault is Code::internal and names file and line.
    [[nodiscard]] static Result<Shader> load(std::string_view name);
    Shader(Shader&& other) noexcept;
    Shader& operator=(Shader&& other) noexcept;
    Shader(const Shader&) = delete;
    Shader& operator=(const Shader&) = delete;
    ~Shader();

    void use() const;
    /// -1 when the program has no such uniform, or the compiler removed it; GL ignores what is set there.
    int uniform(const char* name) const;

private:
    explicit Shader(unsigned int program) : program_(program) {}
    unsigned int program_ = 0;
};

/// Puts the file's name before each line number of a driver's log: "0:12(3): error" and "0(12) : error"
/// become "FILE:12: …". Lines of other forms are kept as they are.
std::string name_lines(std::string_view file, std::string_view log);

}  // namespace labdeck::gfx
