#include "core/program/exit_codes.hpp"
#include "sim/options.hpp"
#include "sim/simulator.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>

int main(int argc, char** argv) {
    try {
        auto parsed = fanfare::sim::parse_options(argc, argv);
        if (const auto* code = std::get_if<int>(&parsed)) return *code;
        fanfare::sim::run_simulator(std::get<fanfare::sim::Options>(parsed));
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << "fanfare-sim: " << error.what() << '\n';
        return fanfare::exit_usage;
    } catch (const std::exception& error) {
        std::cerr << "fanfare-sim: " << error.what() << '\n';
        return fanfare::exit_unavailable;
    }
}
