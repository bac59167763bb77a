// The messages a frontend sends to have work done ("Message Formats" in the manual): bodies in, bodies as views; whole messages out.
// parse() gives nothing where a body does not have its message's shape; PostgreSQL answers those with 08P01.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/byte_buffer.hpp"

namespace pgtandem::wire {

struct Query {
    std::string_view text;

    static std::optional<Query> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct Parse {
    std::string_view name;
    std::string_view text;
    std::string_view types{};  // 'count' object ids of four bytes, as they travel
    std::uint16_t count = 0;

    static std::optional<Parse> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

// Only the names are read; 'rest' (formats, values, result formats) is the server's to judge.
struct Bind {
    std::string_view portal;
    std::string_view statement;
    std::string_view rest;

    static std::optional<Bind> parse(std::string_view body);
    void write(ByteBuffer& out) const;
    // Whether 'rest' has the shape of formats, values and result formats, and nothing behind.
    bool has_whole_rest() const;
    // As far as 'rest' is there.
    std::uint16_t value_count() const;
};

// Of a Bind: no formats, no values, no result formats.
inline constexpr std::string_view no_values("\0\0\0\0\0\0", 6);

struct Describe {
    char kind;  // 'S' a statement, 'P' a portal
    std::string_view name;

    static std::optional<Describe> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct Close {
    char kind;  // as in Describe
    std::string_view name;

    static std::optional<Close> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct Execute {
    std::string_view portal;
    std::int32_t max_rows = 0;  // 0: all

    static std::optional<Execute> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

// Only the function is read.
struct FunctionCall {
    std::uint32_t function;

    static std::optional<FunctionCall> parse(std::string_view body);
};

void write_sync(ByteBuffer& out);
void write_flush(ByteBuffer& out);
void write_terminate(ByteBuffer& out);
void write_copy_fail(ByteBuffer& out, std::string_view why);

}  // namespace pgtandem::wire
