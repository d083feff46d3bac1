/* One configuration file through libconfuse, driven by tables of keys. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "launcher/problems.h"
#include "wire/name_table.h"

enum config_type {
    CONFIG_COUNT = 1,    /* uint64_t in [min, max] */
    CONFIG_SIZE = 2,     /* uint64_t bytes in [min, max] */
    CONFIG_DURATION = 3, /* uint64_t milliseconds in [min, max] */
    CONFIG_BOOL = 4,     /* uint64_t 0 or 1 */
    CONFIG_ENUM = 5,     /* uint64_t, by `names`, never 0 */
    CONFIG_TEXT = 6,     /* char *, at most `max` bytes; the target owns it */
    CONFIG_LIST = 7,     /* struct config_list of "KEY=VALUE", at most `max` */
};

#define CONFIG_LIST_MAX 32

struct config_list {
    size_t n;
    char *items[CONFIG_LIST_MAX];
};

struct config_parse;

struct config_key {
    const char *name;
    enum config_type type;
    uint64_t min;
    uint64_t max;
    const struct name_table *names;
    size_t offset;      /* into the target of its section */
    size_t line_offset; /* of a uint32_t there that keeps the line, or 0 */
    /* More to check, or NULL; the value is stored already. Reports what is wrong itself. Of a list:
     * each entry. */
    void (*check)(struct config_parse *parse, const char *value);
};

struct config_section {
    const char *name; /* NULL: the top of the file */
    const struct config_key *keys;
    size_t n_keys;
    int is_titled; /* may be repeated with other titles */
    /* Where the keys of this section go; a titled one starts a fresh target. NULL: no room, and it
     * was reported. */
    void *(*target)(struct config_parse *parse);
    /* A section is complete, or NULL. */
    void (*end)(struct config_parse *parse, const char *title);
};

#define CONFIG_SECTIONS_MAX 4

struct config_schema {
    const struct config_section *sections; /* the first is the top */
    size_t n_sections;
    void (*reset)(void *config); /* forgets what was parsed: the text is parsed again */
};

/* Parses `text`, which is changed. What is wrong goes to `problems`. Returns 0 or -ENOMEM. */
MUST_CHECK int config_parse(const struct config_schema *schema, void *config, const char *file,
                            char *text, size_t n_text, struct problems *problems);

/* For callbacks: the object that is filled; a problem with the statement just read. */
void *config_parse_config(struct config_parse *parse);
void config_parse_problem(struct config_parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Frees the items; the list is empty then. */
void config_list_fini(struct config_list *list);
