// The search_path that the sessions of one pool begin with: asked of one of its backends, and again whenever the primary has
// loaded its configuration. Whatever set it, the role, the database, the startup options or the configuration, the server knows.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/routing.hpp"

namespace pgtandem::proxy {

class Backend;

class FirstPath {
public:
    using Value = std::shared_ptr<std::string const>;

    bool must_ask(Routing const& routing) const;
    void begin_asking(Backend const& backend, Routing const& routing);
    bool is_asking() const { return asked_ != nullptr; }
    bool is_asked(Backend const& backend) const { return asked_ == &backend; }
    // 'told': nothing where the backend did not say.
    void take(std::optional<std::string> told);
    // The one that was asked is no more: another is to be.
    void give_up();
    // What a backend of the primary said last; null where none has.
    Value const& told() const { return told_; }
    // On whichever server; null where it is not known. Servers whose configurations differ do not agree on it.
    Value const& value(Routing const& routing);

private:
    Value told_;
    std::string configured_at_;  // ServerEntry's, when it was asked
    Backend const* asked_ = nullptr;
    Value value_;                 // told_ while it holds,
    std::uint64_t known_at_ = 0;  // by that version of the routing
};

}  // namespace pgtandem::proxy
