// Printing for people: tables, errors, a question.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace pgtandem::cli {

bool is_terminal(int fd);
// How wide it is; 80 where it does not say.
std::size_t terminal_columns(int fd);

// Columns as wide as their widest cell, two blanks between; the first row is the heading.
std::string render_table(std::vector<std::vector<std::string>> const& rows);

// "pgtandem: what: on what: why" and "try: ..." on stderr.
void print_error(Error const& error);
// 1 for work that failed, 2 for a command that was given wrongly.
int exit_status(Error const& error);

// Asks on the terminal; false for anything but y or yes.
bool ask(std::string const& question);

}  // namespace pgtandem::cli
