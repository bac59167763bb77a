#include "wire/startup.hpp"

#include <gtest/gtest.h>

#include "broken.hpp"

namespace pgtandem::wire {
namespace {

using namespace std::string_view_literals;

FirstPacket parse(std::string_view bytes) {
    std::size_t consumed = 0;
    return parse_first_packet(bytes, consumed);
}

std::string packet(std::string_view version_and_body) {
    std::string bytes{'\0', '\0', '\0', static_cast<char>(version_and_body.size() + 4)};
    return bytes.append(version_and_body);
}

std::string why(std::string_view bytes) {
    auto const parsed = parse(bytes);
    auto const* const malformed = std::get_if<Malformed>(&parsed);
    return malformed == nullptr ? "not malformed" : malformed->why;
}

TEST(startup, reads_what_it_wrote) {
    ByteBuffer out;
    write_startup_message(out, {3, 2, {{"user", "ann"}, {"options", ""}, {"user", "bob"}}});
    std::size_t consumed = 0;
    auto const parsed = parse_first_packet(out.view(), consumed);
    auto const& message = std::get<StartupMessage>(parsed);
    EXPECT_EQ(consumed, out.size());
    EXPECT_EQ(message.minor, 2);
    EXPECT_EQ(message.parameters.size(), 3U);
    EXPECT_EQ(message.parameter("user"), "bob");
    for_each_truncation(out.view(), [](auto const& bytes) { EXPECT_TRUE(std::holds_alternative<Incomplete>(parse(bytes))); });
}

TEST(startup, layouts_that_do_not_end_in_a_zero_byte_are_refused_in_the_servers_words) {
    for (auto const body : {"\0\3\0\0"sv, "\0\3\0\0user"sv, "\0\3\0\0user\0"sv, "\0\3\0\0user\0ann\0"sv, "\0\3\0\0user\0ann\0\0\0"sv}) {
        EXPECT_EQ(why(packet(body)), invalid_startup_layout);
    }
    EXPECT_EQ(why(packet("\0\3\0\0user\0ann\0\0"sv)), "not malformed");
}

TEST(startup, the_length_is_judged_before_anything_has_come) {
    EXPECT_EQ(why("\0\0\0\7"sv), invalid_startup_length);
    EXPECT_EQ(why("\0\0\x27\x15"sv), invalid_startup_length);
    EXPECT_EQ(why("\xff\xff\xff\xff"sv), invalid_startup_length);
    EXPECT_TRUE(std::holds_alternative<Incomplete>(parse("\0\0\x27\x14"sv)));
}

TEST(startup, other_major_versions_are_named_and_not_read) {
    auto const parsed = parse(packet("\0\2\0\1garbage"sv));
    EXPECT_EQ(std::get<StartupMessage>(parsed).major, 2);
    EXPECT_EQ(unsupported_protocol_text(2, 1), "unsupported frontend protocol 2.1: server supports 3.0 to 3.2");
}

TEST(startup, what_lies_behind_an_encryption_request_is_not_consumed) {
    ByteBuffer out;
    write_ssl_request(out);
    out.append("stuffed");
    std::size_t consumed = 0;
    EXPECT_TRUE(std::holds_alternative<SslRequest>(parse_first_packet(out.view(), consumed)));
    EXPECT_EQ(consumed, 8U);
    out.clear();
    write_gss_enc_request(out);
    EXPECT_TRUE(std::holds_alternative<GssEncRequest>(parse(out.view())));
}

TEST(startup, cancel_keys_have_4_to_256_bytes) {
    for (std::size_t const size : {0U, 3U, 4U, 32U, 256U, 257U}) {
        ByteBuffer out;
        write_cancel_request(out, 7, std::string(size, 'k'));
        auto const parsed = parse(out.view());
        auto const* const request = std::get_if<CancelRequest>(&parsed);
        EXPECT_EQ(request != nullptr, size >= 4 && size <= 256) << size;
        if (request == nullptr) continue;
        EXPECT_EQ(request->process_id, 7U);
    }
}

TEST(startup, the_answer_to_a_newer_version_carries_the_whole_number) {
    ByteBuffer out;
    std::vector<std::string> const names{"_pq_.x"};
    write_negotiate_protocol_version(out, 2, names);
    EXPECT_EQ(out.view(), "v\0\0\0\x13\0\3\0\2\0\0\0\1_pq_.x\0"sv);
}

}  // namespace
}  // namespace pgtandem::wire
