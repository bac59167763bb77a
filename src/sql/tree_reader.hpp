// Reads a parse tree in libpg_query's JSON, as a stream: no recursion, whatever the depth. Stops at the first thing
// that speaks against a replica, or that is not of the known shape.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sql/node_checks.hpp"

namespace pgtandem::sql {

class TreeReader {
public:
    explicit TreeReader(NodeChecks& checks) : checks_(checks) {}

    Finding read(std::string_view json);

    // What the JSON parser calls; false stops it.
    bool null() { return scalar(); }
    bool boolean(bool value);
    bool number_integer(std::int64_t) { return scalar(); }
    bool number_unsigned(std::uint64_t value);
    bool number_float(double, std::string const&) { return scalar(); }
    bool string(std::string& value);
    bool binary(std::vector<std::uint8_t>&) { return refuse(Reason::unknown_syntax, "binary"); }
    bool start_object(std::size_t);
    bool key(std::string& name);
    bool end_object();
    bool start_array(std::size_t);
    bool end_array() { return true; }
    bool parse_error(std::size_t, std::string const&, nlohmann::json::exception const&);

private:
    // A node, or the object with a type's name around one.
    struct Frame {
        NodeType const* type;
        bool is_name_around;
        Field const* field = nullptr;  // the one that is being read
        std::size_t first_name = 0;    // of its names in names_
        std::size_t args = 0;
        std::size_t ordered_args = 0;
        bool flag = false;
        std::optional<std::string> first_literal = {};
    };

    bool refuse(Reason reason, std::string detail);
    bool scalar();
    bool start_node(NodeType const* type);
    bool end_node();
    // Of the node around: its frame, or null.
    Frame* owner();
    void keep_names(Frame const& frame);

    NodeChecks& checks_;
    Finding finding_;
    std::vector<Frame> frames_;
    std::vector<std::string> names_;
};

}  // namespace pgtandem::sql
