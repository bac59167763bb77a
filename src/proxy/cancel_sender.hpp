// Carries one cancel request to a server: connects, sends it, waits until the server has closed, as PostgreSQL's own does.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "io/loop.hpp"
#include "proxy/routing.hpp"

namespace pgtandem::proxy {

class CancelSender final : public io::StreamOwner {
public:
    // 'done' is called once, at a later event.
    CancelSender(io::Loop& loop, ServerEntry const& server, std::uint32_t process_id, std::string key, std::function<void()> done);
    void on_event(io::Stream& stream) override;
    bool is_done() const { return !done_; }

private:
    void finish();

    ServerEntry server_;
    std::uint32_t process_id_;
    std::string key_;
    std::function<void()> done_;
    std::unique_ptr<io::Stream> stream_;
    std::unique_ptr<io::Timer> deadline_;
    bool asked_for_tls_ = false;
    bool has_sent_ = false;
};

}  // namespace pgtandem::proxy
