/* outside <model folder> <prompt>: continues a prompt from C, and checks its tokens and its embedding. */
#include <tinyllm/tinyllm_c.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print(void *user, const char *text, int64_t size) {
  return fwrite(text, 1, (size_t)size, (FILE *)user) == (size_t)size;
}

static int fail(void) {
  fprintf(stderr, "outside: %s\n", tinyllm_error());
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3 || tinyllm_c_version() != TINYLLM_C_VERSION) return 2;
  tinyllm_model *model = tinyllm_load(argv[1], NULL);
  if (model == NULL) return fail();

  int64_t size = (int64_t)strlen(argv[2]);
  int64_t count = tinyllm_tokenize(model, argv[2], size, NULL, 0);
  if (count < 0) return fail();
  int32_t *prompt = malloc((size_t)count * sizeof *prompt);
  if (prompt == NULL || tinyllm_tokenize(model, argv[2], size, prompt, count) != count) return fail();

  float *vector = malloc((size_t)tinyllm_embedding_size(model) * sizeof *vector);
  if (vector == NULL || tinyllm_embed(model, prompt, count, vector) != 0) return fail();
  double squares = 0;
  for (int64_t i = 0; i < tinyllm_embedding_size(model); ++i) squares += (double)vector[i] * vector[i];
  if (fabs(squares - 1) > 1e-5) return 1;

  tinyllm_generate_options options = tinyllm_generate_defaults(model);
  options.max_tokens = 8;
  if (tinyllm_generate(model, prompt, count, &options, print, stdout) < 0) return fail();
  printf("\n");
  free(prompt);
  free(vector);
  tinyllm_free(model);
  return 0;
}
