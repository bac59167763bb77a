#include "wire/query.hpp"

#include "wire/cursor.hpp"
#include "wire/writer.hpp"

namespace pgtandem::wire {

namespace {

template <class Target>
std::optional<Target> parse_target(std::string_view body) {
    Cursor cursor(body);
    auto const kind = cursor.byte();
    auto const name = cursor.cstring();
    if (!cursor.complete() || (kind != 'S' && kind != 'P')) return std::nullopt;
    return Target{kind, name};
}

void write_target(ByteBuffer& out, char type, char kind, std::string_view name) {
    MessageWriter writer(out, type);
    writer.byte(kind);
    writer.cstring(name);
    writer.finish();
}

void write_empty(ByteBuffer& out, char type) { MessageWriter(out, type).finish(); }

void write_text(ByteBuffer& out, char type, std::string_view text) {
    MessageWriter writer(out, type);
    writer.cstring(text);
    writer.finish();
}

std::uint16_t count_of(Cursor& cursor) { return static_cast<std::uint16_t>(cursor.int16()); }

void skip_values(Cursor& cursor) {
    auto const count = count_of(cursor);
    for (unsigned at = 0; at < count && !cursor.failed(); ++at) {
        auto const length = cursor.int32();
        if (length != -1) cursor.bytes(static_cast<std::uint32_t>(length));
    }
}

void skip_formats(Cursor& cursor) { cursor.bytes(std::size_t{2} * count_of(cursor)); }

}  // namespace

std::optional<Query> Query::parse(std::string_view body) {
    Cursor cursor(body);
    Query const query{cursor.cstring()};
    return cursor.complete() ? std::optional(query) : std::nullopt;
}

void Query::write(ByteBuffer& out) const { write_text(out, 'Q', text); }

std::optional<Parse> Parse::parse(std::string_view body) {
    Cursor cursor(body);
    Parse parse{cursor.cstring(), cursor.cstring()};
    parse.count = count_of(cursor);
    parse.types = cursor.bytes(std::size_t{4} * parse.count);
    return cursor.complete() ? std::optional(parse) : std::nullopt;
}

void Parse::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'P');
    writer.cstring(name);
    writer.cstring(text);
    writer.int16(static_cast<std::int16_t>(count));
    writer.bytes(types);
    writer.finish();
}

std::optional<Bind> Bind::parse(std::string_view body) {
    Cursor cursor(body);
    Bind bind{cursor.cstring(), cursor.cstring(), {}};
    if (cursor.failed()) return std::nullopt;
    bind.rest = cursor.rest();
    return bind;
}

void Bind::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'B');
    writer.cstring(portal);
    writer.cstring(statement);
    writer.bytes(rest);
    writer.finish();
}

bool Bind::has_whole_rest() const {
    Cursor cursor(rest);
    skip_formats(cursor);
    skip_values(cursor);
    skip_formats(cursor);
    return cursor.complete();
}

std::uint16_t Bind::value_count() const {
    Cursor cursor(rest);
    skip_formats(cursor);
    return count_of(cursor);
}

std::optional<Describe> Describe::parse(std::string_view body) { return parse_target<Describe>(body); }

void Describe::write(ByteBuffer& out) const { write_target(out, 'D', kind, name); }

std::optional<Close> Close::parse(std::string_view body) { return parse_target<Close>(body); }

void Close::write(ByteBuffer& out) const { write_target(out, 'C', kind, name); }

std::optional<Execute> Execute::parse(std::string_view body) {
    Cursor cursor(body);
    Execute const execute{cursor.cstring(), cursor.int32()};
    return cursor.complete() ? std::optional(execute) : std::nullopt;
}

void Execute::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'E');
    writer.cstring(portal);
    writer.int32(max_rows);
    writer.finish();
}

std::optional<FunctionCall> FunctionCall::parse(std::string_view body) {
    Cursor cursor(body);
    FunctionCall const call{cursor.uint32()};
    return cursor.failed() ? std::nullopt : std::optional(call);
}

void write_sync(ByteBuffer& out) { write_empty(out, 'S'); }

void write_flush(ByteBuffer& out) { write_empty(out, 'H'); }

void write_terminate(ByteBuffer& out) { write_empty(out, 'X'); }

void write_copy_fail(ByteBuffer& out, std::string_view why) { write_text(out, 'f', why); }

}  // namespace pgtandem::wire
