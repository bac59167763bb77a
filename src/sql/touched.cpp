#include "sql/touched.hpp"

#include <algorithm>

namespace pgtandem::sql {

namespace {

// What they are costs each read and each commit a look.
constexpr std::size_t most_relations = 64;

}  // namespace

void Touched::add(Touched const& other) {
    everything = everything || other.everything;
    for (auto const relation : other.relations) {
        if (everything) break;
        if (std::ranges::find(relations, relation) == relations.end()) relations.push_back(relation);
        everything = relations.size() > most_relations;
    }
    if (everything) relations.clear();
}

}  // namespace pgtandem::sql
