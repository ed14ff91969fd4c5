#pragma once

#include <cstdlib>
#include <string>

namespace fanfare::test {

/// The address of a service that tests use, by the variable that names it: of the stack that CTest
/// lends this test, else of the only one. Null where there is none.
inline const char* service(const std::string& variable) {
    if (const char* const lent = std::getenv("CTEST_RESOURCE_GROUP_0_STACKS")) {  // id:one,slots:1
        const std::string text{lent};
        const std::string stack = text.substr(3, text.find(',') - 3);
        if (const char* const found = std::getenv((variable + "_" + stack).c_str())) return found;
    }
    return std::getenv(variable.c_str());
}

}  // namespace fanfare::test
