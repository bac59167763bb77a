// Why a session must keep its backend: session state of the server's that cannot be brought along to another backend.
#pragma once
#include <cstdint>
#include <string>

namespace pgtandem::sql {

enum class Pin : std::uint32_t {
    temporary_table = 1,
    prepared_statement = 2,
    listen = 4,
    hold_cursor = 8,
    advisory_lock = 16,
    sequence = 32,          // currval or lastval was asked for: see drawn_number
    backend_identity = 64,  // the client knows its backend's process id
    unproven = 128,         // a statement of which nobody knows what it does to the session
    session_authorization = 256,
    too_long = 512,
    replication = 1024,
    mode = 2048,
    // A sequence's number was drawn, which currval and lastval would tell from the backend's memory. Neither pins: the backend is
    // kept for the session for a moment where the number is likely to be asked for.
    drawn_number = 4096,
    statement_names = 8192,  // the client has looked at its prepared statements: they stand there under its own names
    login_trigger = 16384,   // an event trigger has run at the backend's login, for this client and no other
};

// A set of reasons.
class Pins {
public:
    constexpr Pins() = default;
    constexpr Pins(Pin pin) : bits_(static_cast<std::uint32_t>(pin)) {}
    static constexpr Pins from_bits(std::uint32_t bits) {
        Pins pins;
        pins.bits_ = bits;
        return pins;
    }

    constexpr std::uint32_t bits() const { return bits_; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool contains(Pin pin) const { return (bits_ & static_cast<std::uint32_t>(pin)) != 0; }
    constexpr Pins minus(Pins other) const { return from_bits(bits_ & ~other.bits_); }
    constexpr Pins& operator|=(Pins other) {
        bits_ |= other.bits_;
        return *this;
    }
    friend constexpr Pins operator|(Pins a, Pins b) { return from_bits(a.bits_ | b.bits_); }
    friend constexpr Pins operator&(Pins a, Pins b) { return from_bits(a.bits_ & b.bits_); }
    bool operator==(Pins const&) const = default;

    // "temporary table, listen"; "" for none.
    std::string names() const;

private:
    std::uint32_t bits_ = 0;
};

constexpr Pins operator|(Pin a, Pin b) { return Pins(a) | Pins(b); }

}  // namespace pgtandem::sql
