# What `cmake --install` copies: the libraries, their headers, the CMake package and one pkg-config file for each library.
include(CMakePackageConfigHelpers)

set(targets)
foreach(part IN LISTS TINYLLM_PARTS)
  list(APPEND targets tinyllm_${part})
endforeach()
install(TARGETS ${targets} EXPORT tinyllm-targets)

set(folders tensor ops)
if("model" IN_LIST TINYLLM_PARTS)
  list(APPEND folders model train runtime)
endif()
# Of kernels/, the table alone: the other headers are for files that are compiled once for each instruction set. Nor what
# needs nlohmann/json, or is for one library alone.
foreach(folder IN LISTS folders)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinyllm
          FILES_MATCHING PATTERN "*.h" PATTERN corpus EXCLUDE
          REGEX "/(kernels/(attention|random|simd|tiles)|base/json|message_list|metrics_line|http_(exchange|parser))\\.h$" EXCLUDE)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/tinyllm.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinyllm)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tinyllm)
install(EXPORT tinyllm-targets NAMESPACE tinyllm:: DESTINATION ${package})
configure_package_config_file(cmake/tinyllm-config.cmake.in ${PROJECT_BINARY_DIR}/tinyllm-config.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tinyllm-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tinyllm-config.cmake ${PROJECT_BINARY_DIR}/tinyllm-config-version.cmake
        DESTINATION ${package})

function(tinyllm_pkgconfig part description requires private)
  set(PART ${part})
  set(DESCRIPTION ${description})
  set(REQUIRES ${requires})
  set(REQUIRES_PRIVATE ${private})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/tinyllm.pc.in ${PROJECT_BINARY_DIR}/tinyllm-${part}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/tinyllm-${part}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
tinyllm_pkgconfig(base "Files, text, threads and random numbers" "fmt" "")
tinyllm_pkgconfig(tensor "Tensors, a static graph, kernels and gradients" "tinyllm-base" "")
if("model" IN_LIST TINYLLM_PARTS)
  # nlohmann/json is headers alone, and none of ours includes it.
  tinyllm_pkgconfig(model "Transformers, their weights on disk and tokenizers" "tinyllm-tensor" "sentencepiece libxxhash")
  set(serve)
  if("serve" IN_LIST TINYLLM_PARTS)
    set(serve tinyllm-serve)
  endif()
  tinyllm_pkgconfig(train "From text to a trained model" "tinyllm-runtime" "${serve}")
  tinyllm_pkgconfig(runtime "A model answering" "tinyllm-model" "")
endif()
if("serve" IN_LIST TINYLLM_PARTS)
  tinyllm_pkgconfig(serve "An HTTP server" "tinyllm-base" "")
endif()
if("corpus" IN_LIST TINYLLM_PARTS)
  # By name: what libarchive itself needs where it is static is not installed with it.
  list(TRANSFORM CORPUS_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE LIBS_PRIVATE)
  list(JOIN LIBS_PRIVATE " " LIBS_PRIVATE)
  tinyllm_pkgconfig(corpus "From a messy folder to a clean text" "tinyllm-base" "")
endif()
