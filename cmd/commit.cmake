# Writes commit.h with the commit that is built, "" where there is no git. Run at each build:
#     cmake -D SOURCE=... -D HEADER=... -P commit.cmake
execute_process(COMMAND git -C ${SOURCE} rev-parse --short HEAD
                OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
set(text "#define PHT_COMMIT \"${commit}\"\n")
set(before "")
if(EXISTS ${HEADER})
    file(READ ${HEADER} before)
endif()
# Only then is something compiled again.
if(NOT text STREQUAL before)
    file(WRITE ${HEADER} "${text}")
endif()
