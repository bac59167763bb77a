// ErrorResponse and NoticeResponse ("Error and Notice Message Fields" in the manual).
#pragma once
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"

namespace pgtandem::wire {

// A field that is empty was not sent, or is not to be sent.
struct ErrorFields {
    std::string severity{};           // S, perhaps translated
    std::string severity_nonlocal{};  // V, never translated
    std::string sqlstate{};           // C
    std::string message{};            // M
    std::string detail{};             // D
    std::string hint{};               // H
    std::string where{};              // W
    std::string schema{};             // s
    std::string table{};              // t
    std::string column{};             // c
    std::string data_type{};          // d
    std::string constraint{};         // n
    std::string position{};           // P
    std::string internal_position{};  // p
    std::string internal_query{};     // q
    std::string file{};               // F
    std::string line{};               // L
    std::string routine{};            // R

    // Of any bytes at all: fields it cannot read are empty, fields it does not know are passed over.
    static ErrorFields parse(std::string_view body);
};

// In the order in which PostgreSQL's server sends the fields.
void write_error_response(ByteBuffer& out, ErrorFields const& fields);
void write_notice_response(ByteBuffer& out, ErrorFields const& fields);

}  // namespace pgtandem::wire
