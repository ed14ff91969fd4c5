# Writes OUTPUT, which says the version and the commit; only where that is news, so that nothing is built for nothing.
# Where there is no repository (an image is built of the sources alone) FANFARE_COMMIT says it.
set(commit "$ENV{FANFARE_COMMIT}")
if(NOT commit)
    execute_process(COMMAND git -C "${SOURCE}" describe --always --abbrev=10 --exclude=* --dirty=+
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
string(REGEX REPLACE "[^0-9A-Za-z+._-]" "" commit "${commit}")
if(commit)
    set(commit " (${commit})")
endif()
string(CONCAT code "#include \"core/program/version.hpp\"\n\n"
    "const char* fanfare::version() noexcept { return FANFARE_VERSION \"${commit}\"; }\n")
set(before "")
if(EXISTS "${OUTPUT}")
    file(READ "${OUTPUT}" before)
endif()
if(NOT code STREQUAL before)
    file(WRITE "${OUTPUT}" "${code}")
endif()
