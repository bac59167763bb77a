#include "wire/backend.hpp"

#include "wire/cursor.hpp"
#include "wire/startup.hpp"
#include "wire/writer.hpp"

namespace pgtandem::wire {

namespace {

constexpr std::uint32_t text_type = 25;

void write_empty(ByteBuffer& out, char type) { MessageWriter(out, type).finish(); }

}  // namespace

std::optional<ParameterStatus> ParameterStatus::parse(std::string_view body) {
    Cursor cursor(body);
    ParameterStatus const status{cursor.cstring(), cursor.cstring()};
    return cursor.complete() ? std::optional(status) : std::nullopt;
}

void ParameterStatus::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'S');
    writer.cstring(name);
    writer.cstring(value);
    writer.finish();
}

std::optional<BackendKeyData> BackendKeyData::parse(std::string_view body) {
    Cursor cursor(body);
    BackendKeyData const data{cursor.uint32(), cursor.rest()};
    if (cursor.failed() || data.key.size() < cancel_key_min || data.key.size() > cancel_key_max) return std::nullopt;
    return data;
}

void BackendKeyData::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'K');
    writer.uint32(process_id);
    writer.bytes(key);
    writer.finish();
}

std::optional<ReadyForQuery> ReadyForQuery::parse(std::string_view body) {
    Cursor cursor(body);
    auto const status = cursor.byte();
    if (!cursor.complete() || (status != 'I' && status != 'T' && status != 'E')) return std::nullopt;
    return ReadyForQuery{status};
}

void ReadyForQuery::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'Z');
    writer.byte(status);
    writer.finish();
}

std::optional<CommandComplete> CommandComplete::parse(std::string_view body) {
    Cursor cursor(body);
    CommandComplete const complete{cursor.cstring()};
    return cursor.complete() ? std::optional(complete) : std::nullopt;
}

void CommandComplete::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'C');
    writer.cstring(tag);
    writer.finish();
}

std::optional<DataRow> DataRow::parse(std::string_view body) {
    Cursor cursor(body);
    auto const count = cursor.int16();
    DataRow row;
    for (int column = 0; column < count && !cursor.failed(); ++column) {
        auto const length = cursor.int32();
        if (length < 0) row.values.emplace_back();
        else row.values.emplace_back(cursor.bytes(static_cast<std::size_t>(length)));
    }
    if (!cursor.complete() || count < 0) return std::nullopt;
    return row;
}

std::optional<NegotiateProtocolVersion> NegotiateProtocolVersion::parse(std::string_view body) {
    Cursor cursor(body);
    auto const version = cursor.uint32();
    auto const count = cursor.uint32();
    for (std::uint32_t at = 0; at < count && !cursor.failed(); ++at) cursor.cstring();
    if (!cursor.complete() || version >> 16 != protocol_major) return std::nullopt;
    return NegotiateProtocolVersion{static_cast<std::uint16_t>(version), count};
}

void write_row_description(ByteBuffer& out, std::span<std::string const> columns) {
    MessageWriter writer(out, 'T');
    writer.int16(static_cast<std::int16_t>(columns.size()));
    for (auto const& column : columns) {
        writer.cstring(column);
        writer.uint32(0);  // of no table
        writer.int16(0);   // and so no column of one
        writer.uint32(text_type);
        writer.int16(-1);  // of any size
        writer.int32(-1);  // no type modifier
        writer.int16(0);   // as text
    }
    writer.finish();
}

void write_data_row(ByteBuffer& out, std::span<std::optional<std::string> const> values) {
    MessageWriter writer(out, 'D');
    writer.int16(static_cast<std::int16_t>(values.size()));
    for (auto const& value : values) {
        writer.int32(value ? static_cast<std::int32_t>(value->size()) : -1);
        if (value) writer.bytes(*value);
    }
    writer.finish();
}

void write_parameter_description(ByteBuffer& out, std::string_view types) {
    MessageWriter writer(out, 't');
    writer.int16(static_cast<std::int16_t>(types.size() / 4));
    writer.bytes(types);
    writer.finish();
}

void write_parse_complete(ByteBuffer& out) { write_empty(out, '1'); }

void write_bind_complete(ByteBuffer& out) { write_empty(out, '2'); }

void write_close_complete(ByteBuffer& out) { write_empty(out, '3'); }

void write_no_data(ByteBuffer& out) { write_empty(out, 'n'); }

void write_portal_suspended(ByteBuffer& out) { write_empty(out, 's'); }

void write_empty_query_response(ByteBuffer& out) { write_empty(out, 'I'); }

}  // namespace pgtandem::wire
