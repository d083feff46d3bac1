/*
 * libyara in the asking process, as applications do it today.
 *
 * The same rules as the provider loads, one scanner per thread
 * that is kept, as the provider keeps one per worker. Fast
 * mode is off, which is what the provider does as well.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <yara.h>

#include "engine.h"

struct engine {
    YR_RULES *rules;
};

struct engine_scanner {
    YR_SCANNER *scanner;
};

static int count_match(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    if (message == CALLBACK_MSG_RULE_MATCHING) {
        (*(unsigned *)user_data)++;
    }
    return CALLBACK_CONTINUE;
}

/* Compiles the files; returns NULL when none of them can be. */
static YR_RULES *compile(const char *folder)
{
    YR_COMPILER *compiler = NULL;
    YR_RULES *rules = NULL;
    size_t n_files = 0;
    char pattern[4096];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/*.yar", folder);
    if (yr_compiler_create(&compiler) != ERROR_SUCCESS) {
        return NULL;
    }
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            FILE *file = fopen(found.gl_pathv[i], "re");

            if (file) {
                if (yr_compiler_add_file(compiler, file, found.gl_pathv[i], found.gl_pathv[i]) ==
                    0) {
                    n_files++;
                }
                fclose(file);
            }
        }
        globfree(&found);
    }
    if (n_files > 0 && yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS) {
        rules = NULL;
    }
    yr_compiler_destroy(compiler);
    return rules;
}

struct engine *engine_open(const char *folder)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (!engine || yr_initialize() != ERROR_SUCCESS) {
        free(engine);
        return NULL;
    }
    engine->rules = compile(folder);
    if (!engine->rules) {
        engine_close(engine);
        return NULL;
    }
    return engine;
}

struct engine_scanner *engine_scanner_new(struct engine *engine)
{
    struct engine_scanner *scanner = calloc(1, sizeof(*scanner));

    if (!scanner || yr_scanner_create(engine->rules, &scanner->scanner) != ERROR_SUCCESS) {
        fputs("bench: libyara has no memory for a scanner\n", stderr);
        exit(1);
    }
    return scanner;
}

void engine_scanner_free(struct engine_scanner *scanner)
{
    yr_scanner_destroy(scanner->scanner);
    free(scanner);
}

unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes)
{
    unsigned n_matches = 0;

    yr_scanner_set_callback(scanner->scanner, count_match, &n_matches);
    if (yr_scanner_scan_mem(scanner->scanner, bytes, n_bytes) != ERROR_SUCCESS) {
        fputs("bench: libyara failed\n", stderr);
        exit(1);
    }
    return n_matches;
}

bool engine_takes_packed(void)
{
    return true;
}

size_t engine_n_rules(const struct engine *engine)
{
    const YR_RULE *rule;
    size_t n = 0;

    yr_rules_foreach(engine->rules, rule)
    {
        n++;
    }
    return n;
}

void engine_close(struct engine *engine)
{
    if (engine->rules) {
        yr_rules_destroy(engine->rules);
    }
    yr_finalize();
    free(engine);
}
