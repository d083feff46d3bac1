/*
 * Drives libconfuse by our tables of keys.
 *
 * Every value comes as text and is checked when libconfuse reads it, because only then the line is
 * known. A wrong value doesn't end the parse. An unknown key does (libconfuse has no way around
 * that which would let us name it): then the statement is blanked and the text is parsed again, so
 * that the next mistake is found too. A syntax error ends the file: what follows it has no
 * structure that could be judged.
 *
 * libconfuse's callbacks carry no pointer of ours, so the parse in progress is a static of this
 * file. The launcher has one thread.
 */
#include "launcher/config_parse.h"

#include <confuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"
#include "launcher/config_text.h"
#include "launcher/config_value.h"

/* Unknown keys that are named before the rest of a file is given up. */
#define PASSES_MAX 32

#define KEYS_MAX 32

struct config_parse {
    const struct config_schema *schema;
    void *config;
    const char *file;
    struct problems *problems;
    cfg_t *cfg; /* the section whose statement is being read */

    uint64_t seen[CONFIG_SECTIONS_MAX]; /* keys of the section that is being read */
    size_t n_titled[CONFIG_SECTIONS_MAX];
    void *targets[CONFIG_SECTIONS_MAX]; /* NULL until its first key */
    bool is_list_ended;

    char unknown[128]; /* the key that ended this pass */
    uint32_t unknown_line;
    bool is_told; /* what ended this pass was reported */
    bool is_out_of_memory;
};

static struct config_parse *current;

void *config_parse_config(struct config_parse *parse)
{
    return parse->config;
}

static uint32_t line_of(const cfg_t *cfg)
{
    return cfg && cfg->line > 0 ? (uint32_t)cfg->line : 1;
}

void config_parse_problem(struct config_parse *parse, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    problems_add_v(parse->problems, parse->file, line_of(parse->cfg), format, args);
    va_end(args);
}

void config_list_fini(struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i]);
        list->items[i] = NULL;
    }
    list->n = 0;
}

/* ------------------------------------------------------------------------------------- values */

static void problem_with_value(struct config_parse *parse, const struct config_key *key,
                               const char *value, const char *why)
{
    char quote[PROBLEMS_QUOTE_BYTES];

    config_parse_problem(parse, "%s = '%s': %s", key->name, problems_quote(value, quote), why);
}

static int read_enum(const struct config_key *key, const char *value, uint64_t *ret, char *why)
{
    const struct name_table *names = key->names;
    uint32_t number;
    size_t n;

    if (name_number(names, value, &number) && number != 0) {
        *ret = number;
        return 0;
    }
    n = (size_t)snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "give ");
    for (size_t i = 0; i < names->n_rows; i++) {
        if (names->rows[i].number != 0 && n < CONFIG_VALUE_TEXT_BYTES_MAX) {
            n += (size_t)snprintf(why + n, CONFIG_VALUE_TEXT_BYTES_MAX - n, "%s%s",
                                  names->rows[i].name,
                                  i + 1 == names->n_rows   ? ""
                                  : i + 2 == names->n_rows ? " or "
                                                           : ", ");
        }
    }
    return CONFIG_VALUE_E_BAD;
}

static int read_text(struct config_parse *parse, const struct config_key *key, const char *value,
                     char **ret, char *why)
{
    char *copy;

    if (value[0] == '\0') {
        snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "is empty; give a value or remove the line");
        return CONFIG_VALUE_E_BAD;
    }
    if (strlen(value) > key->max) {
        snprintf(why, CONFIG_VALUE_TEXT_BYTES_MAX, "is longer than %u bytes; shorten it",
                 (unsigned)key->max);
        return CONFIG_VALUE_E_BAD;
    }
    copy = strdup(value);
    if (!copy) {
        parse->is_out_of_memory = true;
        return 0;
    }
    free(*ret);
    *ret = copy;
    return 0;
}

static int read_value(struct config_parse *parse, const struct config_key *key, const char *value,
                      void *slot, char *why)
{
    switch (key->type) {
    case CONFIG_COUNT:
        return config_value_count(value, key->min, key->max, slot, why);
    case CONFIG_SIZE:
        return config_value_size(value, key->min, key->max, slot, why);
    case CONFIG_DURATION:
        return config_value_duration(value, key->min, key->max, slot, why);
    case CONFIG_BOOL:
        return config_value_bool(value, slot, why);
    case CONFIG_ENUM:
        return read_enum(key, value, slot, why);
    case CONFIG_TEXT:
        return read_text(parse, key, value, slot, why);
    case CONFIG_LIST:
        break;
    }
    return 0;
}

static void list_append(struct config_parse *parse, const struct config_key *key,
                        struct config_list *list, const char *value)
{
    size_t n_name = strcspn(value, "=");

    if (list->n == key->max) {
        config_parse_problem(parse, "%s has more than %u entries; remove some", key->name,
                             (unsigned)key->max);
        return;
    }
    if (n_name == 0 || value[n_name] != '=') {
        problem_with_value(parse, key, value, "write each entry as \"KEY=VALUE\"");
    }
    if (strlen(value) > 512) {
        problem_with_value(parse, key, value, "is longer than 512 bytes; shorten it");
    }
    for (size_t i = 0; i < list->n; i++) {
        if (strncmp(list->items[i], value, n_name + 1) == 0) {
            problem_with_value(parse, key, value, "is given twice; remove one");
        }
    }
    list->items[list->n] = strdup(value);
    if (!list->items[list->n]) {
        parse->is_out_of_memory = true;
        return;
    }
    list->n++;
}

/* libconfuse calls for each entry and once more at the closing brace; a second statement starts
 * over at one entry. */
static void read_list(struct config_parse *parse, const struct config_key *key, cfg_opt_t *opt,
                      struct config_list *list)
{
    size_t n = cfg_opt_size(opt);
    const char *value = n > 0 ? cfg_opt_getnstr(opt, (unsigned)n - 1) : NULL;

    if (!value) {
        return;
    }
    if (n == list->n + 1 && !parse->is_list_ended) {
        list_append(parse, key, list, value);
        if (key->check && !parse->is_out_of_memory) {
            key->check(parse, value);
        }
    } else if (n == list->n && list->n > 0 && strcmp(list->items[n - 1], value) == 0) {
        parse->is_list_ended = true;
    } else {
        config_parse_problem(parse, "%s stands twice; put all entries into one { ... }", key->name);
    }
}

/* -------------------------------------------------------------------------- libconfuse's callbacks
 */

static size_t section_index(const struct config_schema *schema, const char *name)
{
    for (size_t i = 1; i < schema->n_sections; i++) {
        if (strcmp(schema->sections[i].name, name) == 0) {
            return i;
        }
    }
    return 0;
}

static void read_key(struct config_parse *parse, size_t section, size_t key_index, cfg_opt_t *opt)
{
    const struct config_key *key = &parse->schema->sections[section].keys[key_index];
    char why[CONFIG_VALUE_TEXT_BYTES_MAX];
    const char *value;
    char *slot;

    if (!parse->targets[section]) {
        parse->targets[section] = parse->schema->sections[section].target(parse);
    }
    slot = parse->targets[section];
    if (!slot) {
        return;
    }
    if (key->line_offset > 0) {
        *(uint32_t *)(void *)(slot + key->line_offset) = line_of(parse->cfg);
    }
    slot += key->offset;
    if (key->type == CONFIG_LIST) {
        read_list(parse, key, opt, (struct config_list *)(void *)slot);
        return;
    }
    if (parse->seen[section] & (1ull << key_index)) {
        config_parse_problem(parse, "%s stands twice; remove one", key->name);
    }
    parse->seen[section] |= 1ull << key_index;
    value = cfg_opt_getnstr(opt, 0);
    if (!value) {
        return;
    }
    if (read_value(parse, key, value, slot, why) != 0) {
        problem_with_value(parse, key, value, why);
    } else if (key->check && !parse->is_out_of_memory) {
        key->check(parse, value);
    }
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    struct config_parse *parse = current;
    size_t section = section_index(parse->schema, cfg_name(cfg));
    const struct config_section *s = &parse->schema->sections[section];

    parse->cfg = cfg;
    for (size_t i = 0; i < s->n_keys; i++) {
        if (strcmp(s->keys[i].name, cfg_opt_name(opt)) == 0) {
            read_key(parse, section, i, opt);
        }
    }
    return parse->is_out_of_memory ? -1 : 0;
}

static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
    struct config_parse *parse = current;
    size_t section = section_index(parse->schema, cfg_opt_name(opt));
    const struct config_section *s = &parse->schema->sections[section];
    size_t n = cfg_opt_size(opt);

    parse->cfg = cfg;
    if (!s->is_titled && parse->n_titled[section]++ > 0) {
        config_parse_problem(parse, "section %s stands twice; join them", s->name);
    }
    if (s->is_titled && n == parse->n_titled[section]) {
        config_parse_problem(parse, "a %s with this title stands above; rename one", s->name);
    }
    if (s->is_titled) {
        parse->n_titled[section] = n;
        if (!parse->targets[section]) {
            parse->targets[section] = s->target(parse);
        }
    }
    if (s->end && parse->targets[section]) {
        const cfg_t *sub = n > 0 ? cfg_opt_getnsec(opt, (unsigned)n - 1) : NULL;

        s->end(parse, sub && s->is_titled ? cfg_title((cfg_t *)(uintptr_t)sub) : NULL);
    }
    parse->targets[section] = NULL;
    parse->seen[section] = 0;
    return parse->is_out_of_memory ? -1 : 0;
}

/* The known key that is nearest to `word`, or NULL. */
static const char *guess_key(const struct config_section *section, const struct config_schema *all,
                             const char *word)
{
    const char *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < section->n_keys; i++) {
        size_t distance = config_value_distance(section->keys[i].name, word);

        if (distance < best_distance) {
            best_distance = distance;
            best = section->keys[i].name;
        }
    }
    for (size_t i = 1; section->name == NULL && i < all->n_sections; i++) {
        if (config_value_distance(all->sections[i].name, word) < best_distance) {
            best = all->sections[i].name;
        }
    }
    return best;
}

static void on_unknown_key(struct config_parse *parse, cfg_t *cfg, const char *word)
{
    size_t section = section_index(parse->schema, cfg_name(cfg));
    const struct config_section *s = &parse->schema->sections[section];
    const char *guess = guess_key(s, parse->schema, word);
    char quote[PROBLEMS_QUOTE_BYTES];

    problems_quote(word, quote);
    if (strcmp(word, "include") == 0) {
        config_parse_problem(parse, "include is not supported; put everything into this file");
    } else if (guess) {
        config_parse_problem(parse, "unknown key '%s'; did you mean '%s'?", quote, guess);
    } else {
        config_parse_problem(parse, "unknown key '%s'; see docs/configuration.md", quote);
    }
    snprintf(parse->unknown, sizeof(parse->unknown), "%s", word);
    parse->unknown_line = line_of(cfg);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    struct config_parse *parse = current;
    char text[256];
    char quote[2 * PROBLEMS_QUOTE_BYTES];

    if (!format) {
        return;
    }
    parse->cfg = cfg;
    parse->is_told = true;
    vsnprintf(text, sizeof(text), format, args);
    if (strcmp(format, "no such option '%s'") == 0) {
        char *word = strchr(text, '\'') + 1;
        char *end = strrchr(word, '\'');

        if (end) {
            *end = '\0';
        }
        on_unknown_key(parse, cfg, word);
        return;
    }
    safe_text(quote, sizeof(quote), text, strlen(text));
    config_parse_problem(parse,
                         "%s; write KEY = VALUE or SECTION { ... }; the rest of this file was not "
                         "read",
                         quote);
}

/* ---------------------------------------------------------------------------------------- the
 * parse */

static void section_opts(const struct config_section *section, cfg_opt_t *opts)
{
    size_t n = 0;

    for (; n < section->n_keys; n++) {
        const struct config_key *key = &section->keys[n];

        if (key->type == CONFIG_LIST) {
            opts[n] = (cfg_opt_t)CFG_STR_LIST(key->name, NULL, CFGF_NODEFAULT);
        } else {
            opts[n] = (cfg_opt_t)CFG_STR(key->name, NULL, CFGF_NODEFAULT);
        }
        opts[n].validcb = on_value;
    }
    opts[n] = (cfg_opt_t)CFG_END();
}

/* One pass; true when the text has to be parsed again. */
static bool parse_once(struct config_parse *parse, const char *text, size_t n_text)
{
    static cfg_opt_t opts[CONFIG_SECTIONS_MAX][KEYS_MAX + CONFIG_SECTIONS_MAX + 1];
    const struct config_schema *schema = parse->schema;
    size_t n = schema->sections[0].n_keys;
    cfg_t *cfg;
    FILE *in;
    int r;

    for (size_t i = 0; i < schema->n_sections; i++) {
        section_opts(&schema->sections[i], opts[i]);
    }
    for (size_t i = 1; i < schema->n_sections; i++) {
        opts[0][n] =
            (cfg_opt_t)CFG_SEC(schema->sections[i].name, opts[i],
                               schema->sections[i].is_titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE);
        opts[0][n++].validcb = on_section;
    }
    opts[0][n] = (cfg_opt_t)CFG_END();

    in = n_text > 0 ? fmemopen((void *)(uintptr_t)text, n_text, "r") : fopen("/dev/null", "re");
    cfg = cfg_init(opts[0], CFGF_NONE);
    if (!in || !cfg) {
        parse->is_out_of_memory = true;
    } else {
        cfg_set_error_function(cfg, on_error);
        r = cfg_parse_fp(cfg, in);
        parse->cfg = cfg;
        if (r != CFG_SUCCESS && !parse->is_told && !parse->is_out_of_memory) {
            config_parse_problem(parse, "is not KEY = VALUE; the rest of this file was not read");
        }
    }
    if (cfg) {
        cfg_free(cfg);
    }
    if (in) {
        fclose(in);
    }
    parse->cfg = NULL;
    return parse->unknown[0] != '\0' && !parse->is_out_of_memory;
}

int config_parse(const struct config_schema *schema, void *config, const char *file, char *text,
                 size_t n_text, struct problems *problems)
{
    struct config_parse parse = {
        .schema = schema,
        .config = config,
        .file = file,
        .problems = problems,
    };

    if (config_text_prepare(file, text, n_text, problems) != 0) {
        return 0;
    }
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        bool again;

        schema->reset(config);
        memset(parse.seen, 0, sizeof(parse.seen));
        memset(parse.targets, 0, sizeof(parse.targets));
        memset(parse.n_titled, 0, sizeof(parse.n_titled));
        parse.is_list_ended = false;
        parse.is_told = false;
        parse.unknown[0] = '\0';
        current = &parse;
        again = parse_once(&parse, text, n_text);
        current = NULL;
        if (parse.is_out_of_memory) {
            return -ENOMEM;
        }
        if (!again || config_text_blank(text, n_text, parse.unknown_line, parse.unknown) != 0) {
            break;
        }
    }
    return 0;
}
