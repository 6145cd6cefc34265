/** @file
 * A model behind a C interface, for C and for languages that call C: Python's ctypes, Go, Rust. Link libtinyllm_c.
 *
 * A function that can fail returns NULL or -1, and `tinyllm_error` then says why. Texts are UTF-8 and given by their
 * size in bytes; file names end with a NUL. Functions that write a list return its whole length, and write at most
 * `room` elements of it: call them with a room of 0 to learn how much is needed. */
#ifndef TINYLLM_C_H
#define TINYLLM_C_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TINYLLM_C_API __attribute__((visibility("default")))

/** Changes when a struct below does. Compare it with `tinyllm_c_version()` where headers and library may differ. */
#define TINYLLM_C_VERSION 1
TINYLLM_C_API int32_t tinyllm_c_version(void);

/** Why the last call on this thread failed, valid until the next one that fails. Never NULL. */
TINYLLM_C_API const char* tinyllm_error(void);

/** A model with room for one sequence. Functions that take a `const tinyllm_model *` may be called from several threads
 * at once; the others may not. */
typedef struct tinyllm_model tinyllm_model;

/** All zeros are the defaults. */
typedef struct tinyllm_load_options {
  const char* type; /**< f32, bf16, q8_0 or q4_0: converts weights while loading. NULL: as in the files. */
  int64_t context;  /**< Limits the context to this many tokens. 0: the model's own. */
  int32_t threads;  /**< 0: as many as this process may use. */
} tinyllm_load_options;

/** Opens a folder of ours, a folder from Hugging Face, or a GGUF file. `options` may be NULL. */
TINYLLM_C_API tinyllm_model* tinyllm_load(const char* path, const tinyllm_load_options* options);
/** Does nothing on NULL. */
TINYLLM_C_API void tinyllm_free(tinyllm_model* model);

TINYLLM_C_API int64_t tinyllm_vocab_size(const tinyllm_model* model);
TINYLLM_C_API int64_t tinyllm_context(const tinyllm_model* model);
/** Numbers in a vector of `tinyllm_embed`. */
TINYLLM_C_API int64_t tinyllm_embedding_size(const tinyllm_model* model);

/** The tokens of a text that the model is to continue. */
TINYLLM_C_API int64_t tinyllm_tokenize(const tinyllm_model* model, const char* text, int64_t size, int32_t* tokens,
                                       int64_t room);
/** The bytes of tokens. They may begin or end within a character. */
TINYLLM_C_API int64_t tinyllm_detokenize(const tinyllm_model* model, const int32_t* tokens, int64_t count, char* text,
                                         int64_t room);

typedef struct tinyllm_message {
  const char* role;    /**< system, user, assistant or tool. */
  const char* content; /**< Ends with a NUL. */
} tinyllm_message;
/** The prompt for the answer to a conversation, by the model's chat template. */
TINYLLM_C_API int64_t tinyllm_chat_prompt(const tinyllm_model* model, const tinyllm_message* messages, int64_t count,
                                          int32_t* tokens, int64_t room);

/** Make it with `tinyllm_generate_defaults`. */
typedef struct tinyllm_generate_options {
  int64_t max_tokens;
  float temperature; /**< 0: always the likeliest token. */
  int64_t top_k;     /**< 0: all. */
  float top_p;
  float min_p;
  float repetition_penalty;
  float frequency_penalty;
  float presence_penalty;
  uint64_t seed;
  const char* const* stop; /**< The answer ends before any of these strings. */
  int64_t stop_count;
} tinyllm_generate_options;
/** 256 tokens, and the sampling settings that the model's authors recommend, if any; else the likeliest token. */
TINYLLM_C_API tinyllm_generate_options tinyllm_generate_defaults(const tinyllm_model* model);

/** Called with each part of the answer, whole characters only. Return 0 to end the answer. It must return: no exception
 * and no longjmp may leave it. */
typedef int (*tinyllm_on_text)(void* user, const char* text, int64_t size);

/** Why an answer ended. */
enum {
  TINYLLM_END_TOKEN = 0,
  TINYLLM_STOP_STRING = 1,
  TINYLLM_MAX_TOKENS = 2,
  TINYLLM_CONTEXT_FULL = 3,
  TINYLLM_CANCELLED = 4 /**< By `on_text`. */
};

/** Continues a prompt, and returns why the answer ended, one of the names above, or -1. `options` may be NULL for the
 * defaults, and `on_text` if nobody wants the text. The same prompt, options and seed give the same bytes. */
TINYLLM_C_API int32_t tinyllm_generate(tinyllm_model* model, const int32_t* prompt, int64_t count,
                                       const tinyllm_generate_options* options, tinyllm_on_text on_text, void* user);

/** The embedding of a text: the mean of its tokens' hidden states, of length 1. `vector` has room for
 * `tinyllm_embedding_size` numbers. Returns 0, or -1. */
TINYLLM_C_API int32_t tinyllm_embed(tinyllm_model* model, const int32_t* tokens, int64_t count, float* vector);

#ifdef __cplusplus
}
#endif

#endif
