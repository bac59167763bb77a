// How many bytes one worker holds for its clients, by what for, and how many it may: what SHOW MEM tells. Values that a client
// can grow are counted here by whoever holds them. One worker's, on its thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgtandem::proxy {

enum class MemoryFor : std::uint8_t {
    verdicts,       // statements looked at, of all databases
    statements,     // prepared ones that clients or backends hold
    client_input,   // what clients have sent and nobody has taken
    client_output,  // what clients have not taken
};

struct MemoryRow {
    std::string_view name;
    std::size_t bytes_max;  // of one worker; 0: bounded for each client
};
inline constexpr auto memory_rows = std::to_array<MemoryRow>({{"verdicts", 64 << 20}, {"prepared_statements", 256 << 20}, {"client_input", 0}, {"client_output", 0}});

class MemoryUse {
public:
    bool has_room(MemoryFor what, std::size_t more) const {
        auto const most = memory_rows[index(what)].bytes_max;
        return most == 0 || (used(what) <= most && more <= most - used(what));
    }
    void add(MemoryFor what, std::size_t bytes) { used_[index(what)] += bytes; }
    void remove(MemoryFor what, std::size_t bytes) { used_[index(what)] -= bytes; }
    std::size_t used(MemoryFor what) const { return used_[index(what)]; }
    // In the order of memory_rows.
    std::array<std::size_t, memory_rows.size()> const& all() const { return used_; }

private:
    static constexpr std::size_t index(MemoryFor what) { return static_cast<std::size_t>(what); }

    std::array<std::size_t, memory_rows.size()> used_{};
};

}  // namespace pgtandem::proxy
