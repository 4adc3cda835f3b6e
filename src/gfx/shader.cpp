#include "gfx/shader.h"

#include <glad/gl.h>

#include <cctype>
#include <utility>

#include "assets.h"

namespace labdeck::gfx {
namespace {

std::size_t digits_at(std::string_view text, std::size_t from) {
    std::size_t end = from;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    return end;
}

// Mesa and AMD write "0:12(3): …" or "ERROR: 0:12: …", NVIDIA "0(12) : …": string number, then line.
std::string name_line(std::string_view file, std::string_view line) {
    constexpr std::string_view prefix = "ERROR: ";
    const std::string_view body = line.starts_with(prefix) ? line.substr(prefix.size()) : line;
    const std::size_t number = digits_at(body, 0);
    if (number == 0 || number >= body.size() || (body[number] != ':' && body[number] != '('))
        return std::string(line);
    const std::size_t end = digits_at(body, number + 1);
    if (end == number + 1) return std::string(line);
    const std::size_t text = body.find(": ", end);
    if (text == std::string_view::npos) return std::string(line);
    return std::string(file) + ":" + std::string(body.substr(number + 1, end - number - 1)) +
           std::string(body.substr(text));
}

Result<GLuint> compile(const std::string& file, GLenum kind) {
    const std::string_view source = assets::find_text(file);
    if (source.empty()) return fail(Code::internal, file + ": no such shader");
    const GLuint shader = glCreateShader(kind);
    const char* text = source.data();
    const auto length = static_cast<GLint>(source.size());
    glShaderSource(shader, 1, &text, &length);
    glCompileShader(shader);
    GLint good = GL_FALSE;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &good);
    if (good == GL_TRUE) return shader;
    std::string log(4096, '\0');
    GLsizei written = 0;
    glGetShaderInfoLog(shader, static_cast<GLsizei>(log.size()), &written, log.data());
    glDeleteShader(shader);
    log.resize(static_cast<std::size_t>(written));
    return fail(Code::internal, name_lines(file, log));
}

Result<GLuint> link(std::string_view name, GLuint vertex, GLuint fragment) {
    const GLuint program = glCreateProgram();
    glAttachShader(program, vertex);
    glAttachShader(program, fragment);
    glLinkProgram(program);
    GLint good = GL_FALSE;
    glGetProgramiv(program, GL_LINK_STATUS, &good);
    if (good == GL_TRUE) return program;
    std::string log(4096, '\0');
    GLsizei written = 0;
    glGetProgramInfoLog(program, static_cast<GLsizei>(log.size()), &written, log.data());
    glDeleteProgram(program);
    log.resize(static_cast<std::size_t>(written));
    return fail(Code::internal, "shaders/" + std::string(name) + ": does not link: " + log);
}

}  // namespace

std::string name_lines(std::string_view file, std::string_view log) {
    std::string named;
    while (!log.empty()) {
        const std::size_t end = log.find('\n');
        const std::string_view line = log.substr(0, end);
        log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
        if (line.empty() || line == std::string_view("\0", 1)) continue;
        if (!named.empty()) named += '\n';
        named += name_line(file, line);
    }
    return named;
}

Result<Shader> Shader::load(std::string_view name) {
    const std::string base = "shaders/" + std::string(name);
    const GLuint vertex = LD_TRY(compile(base + ".vert", GL_VERTEX_SHADER));
    auto fragment = compile(base + ".frag", GL_FRAGMENT_SHADER);
    if (!fragment) {
        glDeleteShader(vertex);
        return fail(std::move(fragment).error());
    }
    auto program = link(name, vertex, *fragment);
    glDeleteShader(vertex);
    glDeleteShader(*fragment);
    if (!program) return fail(std::move(program).error());
    return Shader(*program);
}

Shader::Shader(Shader&& other) noexcept : program_(std::exchange(other.program_, 0)) {}

Shader& Shader::operator=(Shader&& other) noexcept {
    std::swap(program_, other.program_);
    return *this;
}

Shader::~Shader() {
    if (program_ != 0) glDeleteProgram(program_);
}

void Shader::use() const {
    glUseProgram(program_);
}

int Shader::uniform(const char* name) const {
    return glGetUniformLocation(program_, name);
}

}  // namespace labdeck::gfx
