# SPDX-License-Identifier: Apache-2.0
# Toolchain file: zig as the compiler for any target. -DSIMDLOSS_ZIG=<program> -DSIMDLOSS_ZIG_TARGET=<zig's triple>.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SIMDLOSS_ZIG SIMDLOSS_ZIG_TARGET)

if(SIMDLOSS_ZIG_TARGET MATCHES "^([^-]+)-(linux|macos|windows|wasi)")
  set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
  set(system_linux Linux)
  set(system_macos Darwin)
  set(system_windows Windows)
  set(system_wasi Generic)  # CMake knows no WASI
  set(CMAKE_SYSTEM_NAME ${system_${CMAKE_MATCH_2}})
else()
  message(FATAL_ERROR "SIMDLOSS_ZIG_TARGET is no target of zig: ${SIMDLOSS_ZIG_TARGET}")
endif()

set(CMAKE_C_COMPILER ${SIMDLOSS_ZIG} cc)
set(CMAKE_CXX_COMPILER ${SIMDLOSS_ZIG} c++)
set(CMAKE_C_COMPILER_TARGET ${SIMDLOSS_ZIG_TARGET})
set(CMAKE_CXX_COMPILER_TARGET ${SIMDLOSS_ZIG_TARGET})
set(CMAKE_CXX_ARCHIVE_CREATE "\"${SIMDLOSS_ZIG}\" ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${SIMDLOSS_ZIG}\" ranlib <TARGET>")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# zig has caches of its own.
set(CCACHE "")
set(CMAKE_MODULE_LINKER_FLAGS_INIT -s)
if(CMAKE_SYSTEM_NAME STREQUAL Darwin)
  set(CMAKE_MODULE_LINKER_FLAGS_INIT "-s -Wl,-undefined,dynamic_lookup")
endif()
