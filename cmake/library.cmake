# tinyllm_library(<part> <folder>...): the library tinyllm::<part> of all sources in the folders.
function(tinyllm_library part)
  set(sources)
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
    list(APPEND sources ${found})
  endforeach()
  add_library(tinyllm_${part} ${sources})
  add_library(tinyllm::${part} ALIAS tinyllm_${part})
  set_target_properties(tinyllm_${part} PROPERTIES EXPORT_NAME ${part} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(tinyllm_${part} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  tinyllm_compile_options(tinyllm_${part})
endfunction()

# What all of our own code is compiled with. Products and sums are fused where a kernel says so, and nowhere else:
# results are the same bits whatever the optimiser finds.
# QUICK is for programs and tests, which spend their time in the libraries: they compile in half the time.
function(tinyllm_compile_options target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "QUICK" "" "")
  if(arg_QUICK)
    set(level -O1)
  else()
    set(level -O3)
  endif()
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -ffp-contract=off
                                           $<$<CONFIG:Release>:${level}>)
  if(TINYLLM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TINYLLM_SANITIZE)
    # The sanitizers' own code makes GCC see uninitialised variables in the standard library where there are none.
    target_compile_options(${target} PUBLIC -fsanitize=${TINYLLM_SANITIZE} -fno-omit-frame-pointer
                                            $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(${target} PUBLIC -fsanitize=${TINYLLM_SANITIZE})
  endif()
endfunction()

# tinyllm_kernels(<part>): ops/kernels/*.cc, compiled once for each instruction set of this architecture; products in
# bfloat16 and of quantised weights, whose instructions not every CPU with AVX-512 has, are compiled once more for these;
# those in bfloat16 also for AMX, with what measures its peak.
function(tinyllm_kernels part)
  set(folder ${PROJECT_SOURCE_DIR}/ops/kernels)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(REMOVE_ITEM sources ${folder}/cpu.cc)
  target_sources(tinyllm_${part} PRIVATE ${folder}/cpu.cc)
  set(isas baseline)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND isas avx2 avx512 avx512bf16 avx512vnni amx)
    target_compile_definitions(tinyllm_${part} PRIVATE TINYLLM_X86)
  endif()
  set(flags_avx2 -mavx2 -mfma -mf16c)
  # GCC 12 warns of its own avx512fintrin.h, where a register is left undefined on purpose.
  set(flags_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -mprefer-vector-width=512
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  set(flags_avx512bf16 ${flags_avx512} -mavx512bf16)
  set(sources_avx512bf16 ${folder}/gemm.cc)
  set(flags_amx ${flags_avx512bf16} -mamx-tile -mamx-bf16)
  set(sources_amx ${folder}/gemm.cc ${folder}/peak.cc)
  set(flags_avx512vnni ${flags_avx512} -mavx512vnni)
  set(sources_avx512vnni ${folder}/quantized.cc)
  foreach(isa IN LISTS isas)
    set(target tinyllm_kernels_${isa})
    if(NOT sources_${isa})
      set(sources_${isa} ${sources})
    endif()
    add_library(${target} OBJECT ${sources_${isa}})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    tinyllm_compile_options(${target})
    # Wide vectors are passed between inlined functions only: the warning about their ABI does not apply.
    target_compile_options(${target} PRIVATE ${flags_${isa}} -Wno-psabi)
    target_compile_definitions(${target} PRIVATE TINYLLM_ISA=${isa})
    target_sources(tinyllm_${part} PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
endfunction()
