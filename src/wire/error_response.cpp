#include "wire/error_response.hpp"

#include <array>

#include "wire/cursor.hpp"
#include "wire/writer.hpp"

namespace pgtandem::wire {

namespace {

struct Field {
    char code;
    std::string ErrorFields::*value;
};

// The order is that of send_message_to_frontend() in PostgreSQL's elog.c.
constexpr std::array<Field, 18> fields_in_order{{
    {'S', &ErrorFields::severity},
    {'V', &ErrorFields::severity_nonlocal},
    {'C', &ErrorFields::sqlstate},
    {'M', &ErrorFields::message},
    {'D', &ErrorFields::detail},
    {'H', &ErrorFields::hint},
    {'W', &ErrorFields::where},
    {'s', &ErrorFields::schema},
    {'t', &ErrorFields::table},
    {'c', &ErrorFields::column},
    {'d', &ErrorFields::data_type},
    {'n', &ErrorFields::constraint},
    {'P', &ErrorFields::position},
    {'p', &ErrorFields::internal_position},
    {'q', &ErrorFields::internal_query},
    {'F', &ErrorFields::file},
    {'L', &ErrorFields::line},
    {'R', &ErrorFields::routine},
}};

void write(ByteBuffer& out, char type, ErrorFields const& fields) {
    MessageWriter writer(out, type);
    for (auto const& field : fields_in_order) {
        std::string_view const text = fields.*field.value;
        if (text.empty()) continue;
        writer.byte(field.code);
        writer.cstring(text.substr(0, text.find('\0')));
    }
    writer.byte('\0');
    writer.finish();
}

}  // namespace

ErrorFields ErrorFields::parse(std::string_view body) {
    ErrorFields fields;
    Cursor cursor(body);
    for (auto code = cursor.byte(); code != '\0'; code = cursor.byte()) {
        auto const text = cursor.cstring();
        for (auto const& field : fields_in_order) {
            if (field.code == code) fields.*field.value = text;
        }
    }
    return fields;
}

void write_error_response(ByteBuffer& out, ErrorFields const& fields) { write(out, 'E', fields); }

void write_notice_response(ByteBuffer& out, ErrorFields const& fields) { write(out, 'N', fields); }

}  // namespace pgtandem::wire
