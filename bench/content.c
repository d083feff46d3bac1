/*
 * What is asked about.
 *
 * Text that looks like a shell script. Its first lines hold a number that is never used twice, so
 * that nothing can be remembered, and the mark or as many other bytes, so that a question with a
 * finding is not longer than one without.
 */
#include "content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_BYTES ((size_t)1 << 20)
#define HEAD_BYTES    128u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void fill(char *bytes, size_t n_bytes)
{
    static const char *const words[] = {
        "echo ",     "count=", "$((count + 1)) ", "if [ -f \"$file\" ]; ",
        "then ",     "fi\n",   "printf '%s\\n' ", "\"$name\"\n",
        "for i in ", "do ",    "done\n"};
    uint64_t state = 42;
    size_t at = 0;

    while (at < n_bytes) {
        const char *word;
        size_t n;

        state = state * 6364136223846793005u + 1442695040888963407u;
        word = words[(state >> 33) % (sizeof(words) / sizeof(words[0]))];
        n = least(strlen(word), n_bytes - at);
        memcpy(bytes + at, word, n);
        at += n;
    }
}

void content_init(struct content *content, size_t n_bytes, const char *prefix, uint64_t serial)
{
    size_t n_filled = least(n_bytes, PATTERN_BYTES);

    *content = (struct content){.n_bytes = n_bytes, .prefix = prefix, .serial = serial};
    content->bytes = malloc(n_bytes);
    if (!content->bytes || n_bytes < HEAD_BYTES) {
        fprintf(stderr, "bench: no memory for %zu bytes, or less than %u\n", n_bytes, HEAD_BYTES);
        exit(1);
    }
    fill(content->bytes, n_filled);
    for (size_t at = n_filled; at < n_bytes; at += PATTERN_BYTES) {
        memcpy(content->bytes + at, content->bytes, least(PATTERN_BYTES, n_bytes - at));
    }
}

void content_fini(struct content *content)
{
    free(content->bytes);
    content->bytes = NULL;
}

void content_next(struct content *content, bool is_marked)
{
    char head[HEAD_BYTES];
    int n = snprintf(head, sizeof(head), "%s# %020llu\n# %s\n",
                     content->prefix ? content->prefix : "", (unsigned long long)++content->serial,
                     is_marked ? CONTENT_MARK : "nothing-is-in-this-line");

    memcpy(content->bytes, head, least((size_t)n, sizeof(head) - 1));
}
