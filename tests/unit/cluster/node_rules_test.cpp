// Every combination of facts is walked: what an intent does is applied to the facts, and the rules are asked again.
#include "cluster/node_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace pgtandem::cluster {

namespace {

constexpr bool NodeFacts::*switches[] = {
    &NodeFacts::is_primary,    &NodeFacts::removed,         &NodeFacts::stopping,      &NodeFacts::was_initialized,
    &NodeFacts::has_data,      &NodeFacts::data_is_current, &NodeFacts::copy_is_ready, &NodeFacts::primary_answers,
    &NodeFacts::is_configured, &NodeFacts::needs_restart,   &NodeFacts::may_restart,   &NodeFacts::is_seen,
    &NodeFacts::is_long_unseen, &NodeFacts::start_waits,
};
constexpr Server servers[] = {Server::stopped, Server::starting, Server::running};

std::vector<NodeFacts> every_combination() {
    std::vector<NodeFacts> all;
    for (unsigned bits = 0; bits < 1U << std::size(switches); ++bits) {
        for (auto const server : servers) {
            NodeFacts facts;
            facts.server = server;
            for (std::size_t i = 0; i < std::size(switches); ++i) facts.*switches[i] = (bits >> i & 1U) != 0;
            all.push_back(facts);
        }
    }
    return all;
}

std::string describe(NodeFacts const& facts) {
    static constexpr char const* names[] = {"is_primary",    "removed",         "stopping",      "was_initialized",
                                            "has_data",      "data_is_current", "copy_is_ready", "primary_answers",
                                            "is_configured", "needs_restart",   "may_restart",   "is_seen",
                                            "is_long_unseen", "start_waits"};
    static constexpr char const* server_words[] = {"stopped", "starting", "running"};
    std::string text = server_words[static_cast<int>(facts.server)];
    for (std::size_t i = 0; i < std::size(switches); ++i) {
        if (facts.*switches[i]) text += std::string(" ") + names[i];
    }
    return text + " -> " + std::string(decide(facts).id);
}

// Nothing is left to do until something outside changes.
bool is_settled(Intent intent) {
    using enum Intent;
    return intent == rest || intent == refuse || intent == wait_for_primary || intent == watch || intent == remove ||
           intent == look_again;
}

// The facts once the intent has been performed, and what it set going has come to its end.
NodeFacts after(NodeFacts facts, Intent intent) {
    switch (intent) {
        case Intent::stop: facts.server = Server::stopped; break;
        case Intent::restart:
            facts.server = Server::stopped;
            facts.needs_restart = false;
            break;
        case Intent::initialize: facts.has_data = facts.data_is_current = facts.is_configured = true; break;
        case Intent::clone: facts.copy_is_ready = true; break;
        case Intent::install:
            facts.has_data = facts.data_is_current = true;
            facts.copy_is_ready = false;
            break;
        case Intent::configure: facts.is_configured = true; break;
        case Intent::wait_to_start: facts.start_waits = false; break;
        case Intent::start: facts.server = Server::starting; break;
        case Intent::wait_for_server: facts.server = Server::running; break;
        default: break;
    }
    return facts;
}

// What has to be so for the agent to be able to do it, and for nothing to be lost by it.
bool can_be_performed(NodeFacts const& facts, Intent intent) {
    bool const no_server = facts.server == Server::stopped;
    switch (intent) {
        case Intent::stop: return !no_server;
        case Intent::initialize: return facts.is_primary && !facts.has_data && no_server;
        case Intent::clone: return !facts.is_primary && facts.primary_answers;
        case Intent::install: return !facts.is_primary && facts.copy_is_ready && no_server;
        case Intent::configure: return facts.has_data;
        case Intent::wait_to_start:
        case Intent::start: return facts.has_data && facts.is_configured && no_server;
        case Intent::restart: return facts.server == Server::running && facts.may_restart;
        case Intent::remove: return facts.removed && facts.primary_answers && no_server;
        case Intent::wait_for_server: return facts.server == Server::starting;
        case Intent::watch: return facts.server == Server::running && facts.has_data && facts.is_configured;
        case Intent::rest:
        case Intent::look_again:
        case Intent::refuse:
        case Intent::wait_for_primary: return true;
    }
    return false;
}

}  // namespace

TEST(NodeRules, every_intent_can_be_performed_where_it_is_decided) {
    for (auto const& facts : every_combination()) {
        EXPECT_TRUE(can_be_performed(facts, decide(facts).then)) << describe(facts);
    }
}

TEST(NodeRules, nothing_is_done_to_a_node_that_cannot_be_seen) {
    for (auto const& facts : every_combination()) {
        if (facts.is_seen) continue;
        auto const gives_up = facts.stopping && facts.is_long_unseen;
        EXPECT_EQ(decide(facts).then, gives_up ? Intent::rest : Intent::look_again) << describe(facts);
    }
}

TEST(NodeRules, a_start_waits_for_its_pause_and_nothing_else_does) {
    for (auto facts : every_combination()) {
        facts.start_waits = false;
        auto const& without = decide(facts);
        facts.start_waits = true;
        auto const expected = without.then == Intent::start ? Intent::wait_to_start : without.then;
        EXPECT_EQ(decide(facts).then, expected) << describe(facts);
    }
}

TEST(NodeRules, a_cluster_that_had_data_is_never_initialized_again) {
    for (auto const& facts : every_combination()) {
        if (!facts.was_initialized) continue;
        EXPECT_NE(decide(facts).then, Intent::initialize) << describe(facts);
    }
}

TEST(NodeRules, every_start_comes_to_rest_without_a_loop) {
    for (auto const& begin : every_combination()) {
        auto facts = begin;
        std::string path;
        std::size_t steps = 0;
        while (!is_settled(decide(facts).then) && ++steps <= 12) {
            path += describe(facts) + "\n";
            facts = after(facts, decide(facts).then);
        }
        EXPECT_LE(steps, 12U) << path;
    }
}

TEST(NodeRules, once_the_primary_answers_every_wanted_node_runs_unless_the_primarys_data_is_lost) {
    for (auto facts : every_combination()) {
        if (facts.removed || facts.stopping || !facts.is_seen) continue;
        facts.primary_answers = facts.may_restart = true;
        bool const is_lost = facts.is_primary && !facts.has_data && facts.was_initialized;
        auto const begin = facts;
        while (!is_settled(decide(facts).then)) facts = after(facts, decide(facts).then);
        EXPECT_EQ(decide(facts).then, is_lost ? Intent::refuse : Intent::watch) << describe(begin);
        if (is_lost) continue;
        EXPECT_TRUE(facts.has_data && facts.is_configured && !facts.needs_restart) << describe(begin);
        EXPECT_TRUE(facts.is_primary || (facts.data_is_current && !facts.copy_is_ready)) << describe(begin);
    }
}

TEST(NodeRules, a_node_that_is_to_stop_stops_and_is_not_changed) {
    for (auto const& facts : every_combination()) {
        if (!facts.stopping || !facts.is_seen) continue;
        auto const expected = facts.server == Server::stopped ? Intent::rest : Intent::stop;
        EXPECT_EQ(decide(facts).then, expected) << describe(facts);
    }
}

TEST(NodeRules, a_removed_node_goes_once_the_primary_can_give_up_its_slot) {
    for (auto facts : every_combination()) {
        if (!facts.removed || facts.stopping || !facts.is_seen) continue;
        auto const begin = facts;
        while (!is_settled(decide(facts).then)) facts = after(facts, decide(facts).then);
        EXPECT_EQ(decide(facts).then, facts.primary_answers ? Intent::remove : Intent::wait_for_primary)
            << describe(begin);
    }
}

TEST(NodeRules, each_rule_is_the_first_for_some_facts_and_has_its_own_name) {
    std::set<std::string_view> used;
    std::set<std::string_view> ids;
    for (auto const& facts : every_combination()) used.insert(decide(facts).id);
    for (auto const& rule : node_rules) {
        EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
        EXPECT_TRUE(used.contains(rule.id)) << rule.id;
        EXPECT_FALSE(rule.because.empty()) << rule.id;
    }
    // The last rule is for a server that runs, not for facts that were forgotten.
    for (auto const& facts : every_combination()) {
        if (decide(facts).then != Intent::watch) continue;
        EXPECT_EQ(facts.server, Server::running) << describe(facts);
    }
}

TEST(NodeRules, each_intent_has_a_word_of_its_own) {
    std::set<std::string_view> words;
    for (auto const& rule : node_rules) words.insert(to_string(rule.then));
    words.erase("");
    std::set<Intent> intents;
    for (auto const& rule : node_rules) intents.insert(rule.then);
    EXPECT_EQ(words.size(), intents.size());
}

}  // namespace pgtandem::cluster
