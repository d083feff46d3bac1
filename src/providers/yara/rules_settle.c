/*
 * rules_settle: compiled rules without what compiling them left behind.
 *
 * Compiling takes and frees memory in a million small pieces, and what is free afterwards is
 * scattered. A scan with rules that import modules asks for tens of thousands of small objects and
 * compares their names one after another: taken from scattered pieces, each is a miss of the cache,
 * and the same scan takes half as long again. So the rules are written out, everything that
 * compiling took is given back, and they are read in again, into few large pieces.
 *
 * Both ends are this process, and nobody else sees the bytes.
 */
#include "providers/yara/rules_settle.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static size_t stream_write(const void *bytes, size_t size, size_t count, void *user_data)
{
    return fwrite(bytes, size, count, user_data);
}

static size_t stream_read(void *bytes, size_t size, size_t count, void *user_data)
{
    return fread(bytes, size, count, user_data);
}

int rules_settle(struct settled_rules *settled, YR_RULES *rules)
{
    FILE *file = open_memstream(&settled->bytes, &settled->n_bytes);
    YR_STREAM stream = {.user_data = file, .write = stream_write};
    int r;

    if (!file) {
        return ERROR_INSUFFICIENT_MEMORY;
    }
    r = yr_rules_save_stream(rules, &stream);
    if (fclose(file) != 0 && r == ERROR_SUCCESS) {
        r = ERROR_INSUFFICIENT_MEMORY;
    }
    return r;
}

int settled_rules_load(const struct settled_rules *settled, YR_RULES **ret_rules)
{
    FILE *file = fmemopen(settled->bytes, settled->n_bytes, "r");
    YR_STREAM stream = {.user_data = file, .read = stream_read};
    int r;

    if (!file) {
        return ERROR_INSUFFICIENT_MEMORY;
    }
    (void)malloc_trim(0);
    r = yr_rules_load_stream(&stream, ret_rules);
    fclose(file);
    return r;
}

void settled_rules_fini(struct settled_rules *settled)
{
    free(settled->bytes);
    *settled = (struct settled_rules)SETTLED_RULES_INIT;
}
