#include "worker/chance.hpp"

#include <fmt/format.h>

#include <random>

namespace fanfare {

double any_chance() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    return std::uniform_real_distribution<>{}(random);
}

std::string random_word() {
    std::random_device device;
    return fmt::format("{:08x}", device());
}

}  // namespace fanfare
