# What `cmake --install` copies, besides the programs: the libraries, their headers, the CMake package and one pkg-config
# file for each library. `cpack -G DEB` packs all of it for Debian.
include(CMakePackageConfigHelpers)

set(targets)
foreach(part IN LISTS TINYLLM_PARTS)
  list(APPEND targets tinyllm_${part})
endforeach()
install(TARGETS ${targets} EXPORT tinyllm-targets)

# The public headers of each library: what a program includes, and what these include. `./dev lint` checks that they
# include nothing else of ours.
set(headers_base
    tensor/base/checked.h tensor/base/clock.h tensor/base/error.h tensor/base/file.h tensor/base/folder_lock.h
    tensor/base/interval.h
    tensor/base/names.h tensor/base/progress.h tensor/base/random.h tensor/base/thread_pool.h tensor/base/utf8.h)
set(headers_tensor
    tinyllm.h testing.h
    tensor/formats/safetensors.h tensor/formats/tensor_files.h
    tensor/arena.h tensor/graph.h tensor/inspect.h tensor/op.h tensor/program.h tensor/store.h tensor/types.h
    ops/attention.h ops/convolution.h ops/elementwise.h ops/indexing.h ops/losses.h ops/ops.h ops/optimizers.h
    ops/products.h ops/reductions.h ops/rows.h ops/shape.h ops/sources.h ops/tokens.h
    ops/convert.h ops/detail/gemm.h ops/gradients.h ops/peak.h ops/quantized.h ops/testing.h)
set(headers_model
    model/config.h model/gguf_adapter.h model/gguf_weights.h model/lora.h model/model.h model/quantize.h
    model/rope_scaling.h model/transformer.h model/weight_reader.h model/weights.h
    model/formats/family.h model/formats/gguf/gguf.h model/formats/gguf/metadata.h
    model/formats/gguf/tensor_type.h model/formats/gguf/tokenizer.h model/formats/gguf/writer.h
    model/text/chat_template.h model/text/hf_tokenizer.h model/text/jinja_chat_template.h model/text/message.h model/text/model_files.h
    model/text/prompt.h model/text/reasoning.h model/text/sentencepiece_file.h model/text/sentencepiece_tokenizer.h
    model/text/spm/spm_tokenizer.h model/text/tokenizer.h)
set(headers_runtime
    runtime/constraint/answer_form.h runtime/constraint/json_constraint.h
    runtime/reason/answer.h runtime/reason/calculator.h runtime/reason/calculator_constraint.h
    runtime/reason/correction.h runtime/reason/equations.h
    runtime/reason/poll.h runtime/reason/rational.h runtime/reason/reasoner.h runtime/reason/verdict_json.h runtime/reason/vote.h
    runtime/batcher.h runtime/chat.h runtime/embed.h runtime/generate.h runtime/log_probs.h runtime/pages.h runtime/request.h
    runtime/sampler.h runtime/session.h)
set(headers_agent
    runtime/agent/agent.h runtime/agent/error.h runtime/agent/filters.h runtime/agent/plan.h
    runtime/agent/planner.h runtime/agent/policy.h
    runtime/agent/preview.h)
set(headers_c tinyllm_c.h)
set(headers_http runtime/http/http.h runtime/http/http_request.h)
set(headers_serve runtime/serve/server.h)
set(headers_documents runtime/documents/chunks.h runtime/documents/document.h runtime/documents/encoding.h)
set(headers_search runtime/search/answer.h)
set(headers_train
    train/evaluator.h train/objective.h train/objectives/distillation.h train/objectives/next_token.h
    train/recipe.h train/run.h train/trainer.h
    train/data/mixed_rows.h train/data/packed_dataset.h train/data/row_source.h train/data/sample_forms.h
    train/data/samples.h train/data/text_dataset.h train/data/text_sample.h train/data/token_file.h
    train/data/tokenize.h
    train/data/seen_questions.h
    train/eval/answers.h train/eval/choice.h train/eval/log_likelihood.h train/eval/question_set.h train/eval/report.h
    train/eval/results.h train/eval/statistics.h train/eval/summary.h train/eval/text_loss.h
    train/monitor/dashboard.h train/monitor/metrics.h
    train/problems/draw.h train/problems/practice.h train/problems/problem.h train/problems/redraw.h)
set(headers_corpus
    train/corpus/clean.h train/corpus/corpus_writer.h train/corpus/folder.h
    train/corpus/hash_set.h train/corpus/mask.h train/corpus/near_duplicates.h train/corpus/normalise.h
    train/corpus/paragraph_rules.h train/corpus/pieces.h train/corpus/prepare.h train/corpus/report.h
    train/corpus/source.h train/corpus/word_finder.h)
set(headers_questions train/questions/questions.h)
foreach(part IN LISTS TINYLLM_PARTS)
  foreach(header IN LISTS headers_${part})
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinyllm/${folder})
  endforeach()
endforeach()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tinyllm)
install(EXPORT tinyllm-targets NAMESPACE tinyllm:: DESTINATION ${package})
configure_package_config_file(cmake/tinyllm-config.cmake.in ${PROJECT_BINARY_DIR}/tinyllm-config.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tinyllm-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tinyllm-config.cmake ${PROJECT_BINARY_DIR}/tinyllm-config-version.cmake
        DESTINATION ${package})

# From the pkg-config files to the prefix, which may move: LIBDIR has more than one part on Debian.
file(RELATIVE_PATH TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" TO_PREFIX ${TO_PREFIX})
function(tinyllm_pkgconfig part description requires private)
  set(PART ${part})
  set(DESCRIPTION ${description})
  set(REQUIRES ${requires})
  set(REQUIRES_PRIVATE ${private})
  set(CFLAGS -std=c++20)
  if(part STREQUAL "c")
    set(CFLAGS "")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/tinyllm.pc.in ${PROJECT_BINARY_DIR}/tinyllm-${part}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/tinyllm-${part}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
tinyllm_pkgconfig(base "Files, text, threads and random numbers" "fmt" "")
tinyllm_pkgconfig(tensor "Tensors, a static graph, kernels and gradients" "tinyllm-base" "")
if("model" IN_LIST TINYLLM_PARTS)
  tinyllm_pkgconfig(model "Transformers, their weights on disk and tokenizers" "tinyllm-tensor" "sentencepiece libxxhash icu-uc")
  set(http)
  if("http" IN_LIST TINYLLM_PARTS)
    set(http tinyllm-http)
  endif()
  tinyllm_pkgconfig(train "From text to a trained model" "tinyllm-runtime" "${http}")
  tinyllm_pkgconfig(runtime "A model answering" "tinyllm-model" "gmp")
  tinyllm_pkgconfig(c "A model behind a C interface" "" "")
endif()
if("http" IN_LIST TINYLLM_PARTS)
  tinyllm_pkgconfig(http "An HTTP server" "tinyllm-base" "")
endif()
if("agent" IN_LIST TINYLLM_PARTS)
  list(TRANSFORM AGENT_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE LIBS_PRIVATE)
  list(JOIN LIBS_PRIVATE " " LIBS_PRIVATE)
  tinyllm_pkgconfig(agent "Plans on files, checked, logged and undone" "tinyllm-base" "")
  set(LIBS_PRIVATE)
endif()
if("serve" IN_LIST TINYLLM_PARTS)
  tinyllm_pkgconfig(serve "A model as an HTTP service" "tinyllm-runtime tinyllm-http" "libxxhash libcrypto")
endif()
# By name: what libarchive itself needs where it is static is not installed with it.
if("documents" IN_LIST TINYLLM_PARTS)
  list(TRANSFORM DOCUMENTS_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE LIBS_PRIVATE)
  list(JOIN LIBS_PRIVATE " " LIBS_PRIVATE)
  tinyllm_pkgconfig(documents "The text of documents, with the places of its parts" "tinyllm-base" "")
  set(LIBS_PRIVATE)
endif()
if("search" IN_LIST TINYLLM_PARTS)
  tinyllm_pkgconfig(search "Answers from documents, by quoting them" "tinyllm-documents" "sqlite3 icu-i18n icu-uc libxxhash")
endif()
if("corpus" IN_LIST TINYLLM_PARTS)
  list(TRANSFORM CORPUS_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE LIBS_PRIVATE)
  list(JOIN LIBS_PRIVATE " " LIBS_PRIVATE)
  tinyllm_pkgconfig(corpus "From a messy folder to a clean text" "tinyllm-documents" "")
endif()
if("questions" IN_LIST TINYLLM_PARTS)
  set(LIBS_PRIVATE)
  tinyllm_pkgconfig(questions "Questions about documents, with their answers" "tinyllm-search tinyllm-corpus" "libxxhash")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The tinyllm authors <tinyllm@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Make, tune and run small language models on one CPU")
set(CPACK_PACKAGE_DESCRIPTION
    "The command tinyllm trains, fine-tunes, quantises and runs small language\nmodels. The C++20 library that it is made of is included.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The programs that PDF and DOC are read with.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "poppler-utils, poppler-data, catdoc")
include(CPack)
