# The package's version, when it is made: that of the sources, and of the commit, so that each is newer than the one before.
# Where there is no repository FANFARE_PACKAGE_VERSION says it.
set(version "$ENV{FANFARE_PACKAGE_VERSION}")
if(NOT version)
    execute_process(COMMAND git -C "${CPACK_FANFARE_SOURCE}" describe --tags --exact-match --match v${CPACK_FANFARE_VERSION}
        RESULT_VARIABLE is_untagged OUTPUT_QUIET ERROR_QUIET)
    execute_process(COMMAND git -C "${CPACK_FANFARE_SOURCE}" log -1 --date=format-local:%Y%m%d%H%M --format=%cd.%h --abbrev=10
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(version "${CPACK_FANFARE_VERSION}")
    if(is_untagged AND commit)
        string(APPEND version "+git${commit}")
    endif()
endif()
set(CPACK_PACKAGE_VERSION "${version}")
set(CPACK_DEBIAN_PACKAGE_VERSION "${version}")
