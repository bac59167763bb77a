// A session of the endpoint's own on a server, as the role that watches it, on a worker's loop: one question at a time.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "proxy/backend.hpp"
#include "wire/backend.hpp"

namespace pgtandem::proxy {

class ProbeLine final : public io::StreamOwner, private BackendKeeper {
public:
    // The first row of an answer, or null where there is none: an error, or the session was lost. Called once.
    using Answer = std::function<void(wire::DataRow const*)>;

    // 'changed' is told each time the line may have become free, or lost; at a later event.
    ProbeLine(io::Loop& loop, ReportedRegistry& reported, ServerEntry const& server, std::shared_ptr<ServerLogin const> login,
              std::function<void()> changed);
    ~ProbeLine();

    bool is_free() const { return is_ready_ && !answer_ && !is_lost_; }
    bool is_lost() const { return is_lost_; }
    // The server did not let it in.
    bool was_refused() const { return was_refused_; }
    // Its last question was put, or answered, then.
    Clock::time_point used_at() const { return used_at_; }
    bool waits_for_answer() const { return answer_ != nullptr; }
    // While it is free.
    void ask(std::string_view query, Answer answer);

    void on_event(io::Stream& stream) override;

private:
    void logged_in(Backend& backend) override;
    void lost(Backend& backend, wire::ErrorFields why) override;
    void settled(Backend& backend) override;
    ReportedRegistry& reported_registry() override { return reported_; }

    bool take_message(char type, std::string_view body);
    void give(wire::DataRow const* row);
    void lose();

    io::Loop& loop_;
    ReportedRegistry& reported_;
    std::function<void()> changed_;
    bool is_ready_ = false;  // logged in, and the questions prepared
    bool is_lost_ = false;
    bool was_refused_ = false;
    Answer answer_;
    Clock::time_point used_at_;
    Backend backend_;
};

}  // namespace pgtandem::proxy
