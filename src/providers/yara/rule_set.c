/*
 * rule_set: compiles rule files, each into a namespace of its own.
 *
 * It is all or nothing: one file that does not compile refuses the set, since a set with a hole
 * looks like protection that is not there. All files are tried all the same, so that the error can
 * say how many there are to mend.
 *
 * Refused are: `include` (a file is what its digest says it is, and nothing outside the folder is
 * read), variables from outside (there are none), the module `magic` (it opens its database while
 * it scans, which the sandbox answers by ending the worker).
 *
 * Compiled rules are loaded beside the others. libyara checks them only roughly: a damaged file may
 * load and find nothing, a forged one can crash it. The crash happens in the sandbox, before the
 * provider serves, and is reported; but compiled rules of others should not be used where the
 * source can be had.
 */
#include "providers/yara/rule_set.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/yara/rule_files.h"
#include "providers/yara/rules_settle.h"

#define DIGEST_BYTES_SHOWN 6

/* What the compiler's callback needs to know. */
struct compilation {
    const struct rule_file *file;
    struct rule_error *error;
    size_t n_warnings;
};

struct builder {
    struct rule_set *set;
    struct rule_error *error;
    YR_COMPILER *compiler;
    size_t n_sources;
    struct compilation current;
};

static int yara_failed(const char *path, int number, struct rule_error *error)
{
    return rule_error_add(error, "%s: libyara error %d%s", path, number,
                          number == ERROR_INSUFFICIENT_MEMORY
                              ? " (out of memory); give the provider more (`memory-mib`)"
                              : "");
}

static const char *remedy(const char *message)
{
    if (strstr(message, "undefined identifier")) {
        return "rules get no variables from outside: take the condition out or the file away";
    }
    if (strstr(message, "include")) {
        return "includes are refused: put the rules into one file or the files into the folder";
    }
    return "mend the rule or take the file away";
}

static void compiled(int level, const char *file, int line, const YR_RULE *rule,
                     const char *message, void *user_data)
{
    struct compilation *current = user_data;

    if (level == YARA_ERROR_LEVEL_WARNING) {
        current->n_warnings++;
        return;
    }
    (void)rule_error_add(current->error, "%s:%d: %s; %s", current->file->path, line, message,
                         remedy(message));
}

static int compiler_begin(struct builder *builder)
{
    int r;

    if (builder->compiler) {
        return 0;
    }
    r = yr_compiler_create(&builder->compiler);
    if (r != ERROR_SUCCESS) {
        return yara_failed("compiler", r, builder->error);
    }
    yr_compiler_set_callback(builder->compiler, compiled, &builder->current);
    yr_compiler_set_include_callback(builder->compiler, NULL, NULL, NULL);
    return 0;
}

static void compiler_end(struct builder *builder)
{
    if (builder->compiler) {
        yr_compiler_destroy(builder->compiler);
        builder->compiler = NULL;
    }
}

static int line_of(const char *text, const char *place)
{
    int line = 1;

    for (; text < place; text++) {
        line += *text == '\n';
    }
    return line;
}

static int source_check(const struct rule_file *file, const char *text, size_t n,
                        struct rule_error *error)
{
    const char *zero = memchr(text, '\0', n);

    if (zero) {
        return rule_error_add(error, "%s:%d: not text (a zero byte); take the file away",
                              file->path, line_of(text, zero));
    }
    return 0;
}

/* The namespace knows the module once a file imported it; the text only serves to find the line. */
static int modules_check(YR_COMPILER *compiler, const struct rule_file *file, const char *text,
                         struct rule_error *error)
{
    const char *place;

    if (!yr_hash_table_lookup(compiler->objects_table, "magic", file->name)) {
        return 0;
    }
    place = strstr(text, "\"magic\"");
    return rule_error_add(error,
                          "%s:%d: the module magic opens files while it scans, which is not "
                          "allowed; take the rules that use it away",
                          file->path, place ? line_of(text, place) : 1);
}

static int source_add(struct builder *builder, const struct rule_file *file, const char *text,
                      size_t n)
{
    if (source_check(file, text, n, builder->error) < 0 || compiler_begin(builder) < 0) {
        return -1;
    }
    builder->n_sources++;
    if (yr_compiler_add_string(builder->compiler, text, file->name) > 0) {
        compiler_end(builder); /* after an error it takes no more files */
        return -1;
    }
    return modules_check(builder->compiler, file, text, builder->error);
}

static int part_add(struct rule_set *set, YR_RULES *rules, const struct rule_file *file,
                    struct rule_error *error)
{
    struct rule_part *grown = reallocarray(set->parts, set->n_parts + 1, sizeof(*grown));

    if (!grown) {
        yr_rules_destroy(rules);
        return yara_failed("rules", ERROR_INSUFFICIENT_MEMORY, error);
    }
    set->parts = grown;
    set->parts[set->n_parts++] = (struct rule_part){.rules = rules, .file = file};
    set->n_rules += rules->num_rules;
    return 0;
}

struct memory_stream {
    const char *bytes;
    size_t n_left;
};

/* As fread(). */
static size_t memory_read(void *buffer, size_t size, size_t count, void *user_data)
{
    struct memory_stream *stream = user_data;
    size_t n = size == 0 ? 0 : stream->n_left / size;

    n = n < count ? n : count;
    memcpy(buffer, stream->bytes, n * size);
    stream->bytes += n * size;
    stream->n_left -= n * size;
    return n;
}

/* The compiler refuses source that uses one; here it comes with a value that was true elsewhere. */
static int variables_check(const YR_RULES *rules, const struct rule_file *file,
                           struct rule_error *error)
{
    const YR_EXTERNAL_VARIABLE *variable = rules->ext_vars_table;

    if (EXTERNAL_VARIABLE_IS_NULL(variable)) {
        return 0;
    }
    return rule_error_add(error,
                          "%s: compiled with the variable '%s' from outside; rules get none: "
                          "compile it without or give the source",
                          file->path, variable->identifier);
}

static int compiled_add(struct builder *builder, const struct rule_file *file, const char *bytes,
                        size_t n)
{
    struct memory_stream memory = {bytes, n};
    YR_STREAM stream = {.user_data = &memory, .read = memory_read};
    YR_RULES *rules = NULL;
    int r = yr_rules_load_stream(&stream, &rules);

    if (r == ERROR_SUCCESS) {
        r = variables_check(rules, file, builder->error);
        return part_add(builder->set, rules, file, builder->error) < 0 ? -1 : r;
    }
    if (r == ERROR_UNSUPPORTED_FILE_VERSION) {
        return rule_error_add(builder->error,
                              "%s: compiled by another version of yara (this is " YR_VERSION
                              "); compile it again or give the source",
                              file->path);
    }
    return rule_error_add(builder->error, "%s: %s; compile it again or give the source", file->path,
                          r == ERROR_INVALID_FILE ? "not a file of compiled rules"
                                                  : "damaged file of compiled rules");
}

static bool is_compiled(const struct rule_file *file, const char *bytes, size_t n)
{
    size_t n_path = strlen(file->path);

    return (n >= 4 && memcmp(bytes, "YARA", 4) == 0) ||
           (n_path > 5 && strcmp(file->path + n_path - 5, ".yarc") == 0);
}

static int file_add(struct builder *builder, const struct rule_file *file, EVP_MD_CTX *digest)
{
    uint64_t n_digested;
    char *bytes;
    size_t n;
    int r;

    if (rule_file_read(file, &bytes, &n, builder->error) < 0) {
        return -1;
    }
    n_digested = n;
    EVP_DigestUpdate(digest, file->name, strlen(file->name) + 1);
    EVP_DigestUpdate(digest, &n_digested, sizeof(n_digested));
    EVP_DigestUpdate(digest, bytes, n);
    builder->current.file = file;
    r = is_compiled(file, bytes, n) ? compiled_add(builder, file, bytes, n)
                                    : source_add(builder, file, bytes, n);
    free(bytes);
    return r;
}

static void digest_show(EVP_MD_CTX *digest, struct rule_set *set)
{
    unsigned char bytes[EVP_MAX_MD_SIZE] = {0};

    EVP_DigestFinal_ex(digest, bytes, NULL);
    for (size_t i = 0; i < DIGEST_BYTES_SHOWN; i++) {
        snprintf(set->digest + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int sources_finish(struct builder *builder)
{
    struct settled_rules settled = SETTLED_RULES_INIT;
    YR_RULES *rules = NULL;
    int r;

    if (builder->error->n_errors > 0) {
        return -1;
    }
    if (builder->n_sources == 0) {
        return 0;
    }
    r = yr_compiler_get_rules(builder->compiler, &rules);
    if (r == ERROR_SUCCESS) {
        r = rules_settle(&settled, rules);
        yr_rules_destroy(rules);
        compiler_end(builder);
    }
    if (r == ERROR_SUCCESS) {
        r = settled_rules_load(&settled, &rules);
    }
    settled_rules_fini(&settled);
    if (r != ERROR_SUCCESS) {
        return yara_failed("rules", r, builder->error);
    }
    return part_add(builder->set, rules, NULL, builder->error);
}

static int files_add(struct builder *builder, const struct rule_files *files)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(digest);
        return rule_error_add(builder->error, "libcrypto cannot compute SHA-256");
    }
    for (size_t i = 0; i < files->n_files; i++) {
        (void)file_add(builder, &files->files[i], digest); /* counted in builder->error */
    }
    digest_show(digest, builder->set);
    EVP_MD_CTX_free(digest);
    return sources_finish(builder);
}

int rule_set_load(struct rule_set *set, const char *paths, struct rule_error *error)
{
    struct builder builder = {.set = set, .error = error, .current = {.error = error}};
    int r = rule_files_find(&set->files, paths, error);

    if (r == 0) {
        r = files_add(&builder, &set->files);
        compiler_end(&builder);
    }
    set->n_warnings = builder.current.n_warnings;
    if (r == 0 && set->n_rules == 0) {
        r = rule_error_add(error, "%s: no rule in %zu files; put rules there", paths,
                           set->files.n_files);
    }
    return r;
}

void rule_set_fini(struct rule_set *set)
{
    for (size_t i = 0; i < set->n_parts; i++) {
        yr_rules_destroy(set->parts[i].rules);
    }
    free(set->parts);
    rule_files_fini(&set->files);
    *set = (struct rule_set)RULE_SET_INIT;
}

const char *rule_set_path(const struct rule_set *set, const struct rule_part *part,
                          const YR_RULE *rule)
{
    if (part->file) {
        return part->file->path;
    }
    for (size_t i = 0; i < set->files.n_files; i++) {
        if (strcmp(set->files.files[i].name, rule->ns->name) == 0) {
            return set->files.files[i].path;
        }
    }
    return rule->ns->name;
}
