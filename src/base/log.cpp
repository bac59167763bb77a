#include "base/log.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace pgtandem::log {

namespace {

std::shared_ptr<spdlog::logger> logger;

void write(spdlog::level::level_enum level, std::string_view line) {
    if (logger) logger->log(level, line);
}

void begin() {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->flush_on(spdlog::level::info);
}

}  // namespace

Status open(Path const& path, std::size_t bytes, std::size_t files) {
    try {
        logger = spdlog::rotating_logger_mt("pgtandem", path.string(), bytes, files - 1);
    } catch (spdlog::spdlog_ex const& error) {
        return fail("opening the log", path.string(), error.what());
    }
    begin();
    return {};
}

void open_on_stderr() {
    logger = spdlog::stderr_logger_mt("pgtandem");
    begin();
}

void info(std::string_view line) { write(spdlog::level::info, line); }
void warn(std::string_view line) { write(spdlog::level::warn, line); }

}  // namespace pgtandem::log
