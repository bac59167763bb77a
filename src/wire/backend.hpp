// The messages of a server that the endpoint reads or writes itself; what it merely passes on never comes here.
// A server's bytes are not trusted: parse() gives nothing where a body does not have its message's shape.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.hpp"

namespace pgtandem::wire {

struct ParameterStatus {
    std::string_view name;
    std::string_view value;

    static std::optional<ParameterStatus> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct BackendKeyData {
    std::uint32_t process_id;
    std::string_view key;  // 4 bytes, with protocol 3.2 up to 256

    static std::optional<BackendKeyData> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct ReadyForQuery {
    char status;  // 'I' idle, 'T' in a transaction, 'E' in a failed one

    static std::optional<ReadyForQuery> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct CommandComplete {
    std::string_view tag;

    static std::optional<CommandComplete> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

// Values in text or binary, as they were asked for; nothing for NULL.
struct DataRow {
    std::vector<std::optional<std::string_view>> values;

    static std::optional<DataRow> parse(std::string_view body);
};

// NegotiateProtocolVersion: the server speaks an older minor version, and names the _pq_ parameters it does not know.
struct NegotiateProtocolVersion {
    std::uint16_t newest_minor;
    std::uint32_t unrecognized;  // how many names follow

    static std::optional<NegotiateProtocolVersion> parse(std::string_view body);
};

// Rows of text columns, for the console.
void write_row_description(ByteBuffer& out, std::span<std::string const> columns);
void write_data_row(ByteBuffer& out, std::span<std::optional<std::string> const> values);
// ParameterDescription; 'types': object ids of four bytes, as they travel.
void write_parameter_description(ByteBuffer& out, std::string_view types);
void write_parse_complete(ByteBuffer& out);
void write_bind_complete(ByteBuffer& out);
void write_close_complete(ByteBuffer& out);
void write_no_data(ByteBuffer& out);
void write_portal_suspended(ByteBuffer& out);
void write_empty_query_response(ByteBuffer& out);

}  // namespace pgtandem::wire
