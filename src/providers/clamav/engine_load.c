/*
 * engine_load: libclamav's engine from database files, once for all workers.
 *
 * It is all or nothing: a file that libclamav cannot read refuses the set, since a set with a hole
 * looks like protection that is not there. libclamav says why in messages only; the first one that
 * names a place is kept, together with the file that it gave up on.
 *
 * Set against libclamav's habits: no cache of clean content (it would carry something from one
 * question to the next, and its answers know nothing of what was left out), no compiled bytecode
 * (nothing may be made executable), no statistics. Limits that libclamav keeps silent about are as
 * high as the one that it reports.
 */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/clamav/database_files.h"
#include "providers/clamav/engine.h"

/* What is being loaded; libclamav's messages have no context of their own here. */
struct loading {
    struct engine *engine;
    char reason[200]; /* first error */
    char file[256];   /* that it gave up on */
    unsigned line;    /* 0: not told */
};

static struct loading loading;

/* libclamav ends its messages with a new line. */
static size_t line_length(const char *text)
{
    return strcspn(text, "\r\n");
}

static void keep(char *ret, size_t n_ret, const char *text, size_t n_text)
{
    if (ret[0] == '\0') {
        snprintf(ret, n_ret, "%.*s", (int)n_text, text);
    }
}

/* "Can't load PATH: WHY", "error loading database PATH", "at line N", "PATH line N WHY". */
static void error_take(const char *text)
{
    const char *file = strstr(text, "Can't load ");
    const char *line = strstr(text, " line ");

    if (line && loading.line == 0) {
        loading.line = (unsigned)strtoul(line + 6, NULL, 10);
    }
    if (file) {
        file += strlen("Can't load ");
        keep(loading.file, sizeof(loading.file), file, strcspn(file, ":\n"));
    }
    keep(loading.reason, sizeof(loading.reason), text, line_length(text));
}

/* Some are framed with rows of asterisks, each a message of its own. */
static void warning_take(struct engine *engine, const char *text)
{
    text += strspn(text, "* ");
    if (line_length(text) > 0) {
        engine->n_warnings++;
        keep(engine->warning, sizeof(engine->warning), text, line_length(text));
    }
}

static void message_taken(enum cl_msg severity, const char *full, const char *text, void *context)
{
    if (severity == CL_MSG_ERROR) {
        error_take(text);
    } else if (severity == CL_MSG_WARN && loading.engine) {
        warning_take(loading.engine, text);
    }
}

static int signature_seen(const char *type, const char *name, unsigned int custom, void *context)
{
    struct engine *engine = context;

    engine->has_self_test |= strncmp(name, "Pes.Selftest", 12) == 0;
    return 0;
}

static int load_failed(const char *path, const char *why, struct load_error *error)
{
    char line[16] = "";

    if (loading.line > 0) {
        snprintf(line, sizeof(line), ":%u", loading.line);
    }
    return load_error_set(error, "%s%s: %s (%s); mend it or take it away",
                          loading.file[0] != '\0' ? loading.file : path, line, why,
                          loading.reason[0] != '\0' ? loading.reason : "no reason given");
}

static unsigned database_options(const struct settings *settings)
{
    return (settings->phishing ? CL_DB_PHISHING | CL_DB_PHISHING_URLS : 0) |
           (settings->bytecode ? CL_DB_BYTECODE : 0) | (settings->pua ? CL_DB_PUA : 0);
}

static int numbers_set(struct cl_engine *engine, const struct settings *settings)
{
    const struct {
        enum cl_engine_field field;
        uint64_t value;
    } numbers[] = {
        {CL_ENGINE_MAX_SCANSIZE, settings->max_scansize},
        {CL_ENGINE_MAX_FILESIZE, settings->max_filesize},
        {CL_ENGINE_MAX_RECURSION, settings->max_recursion},
        {CL_ENGINE_MAX_FILES, settings->max_files},
        {CL_ENGINE_MAX_SCANTIME, settings->max_scantime},
        /* Silent ones. */
        {CL_ENGINE_MAX_EMBEDDEDPE, settings->max_filesize},
        {CL_ENGINE_MAX_HTMLNORMALIZE, settings->max_filesize},
        {CL_ENGINE_MAX_HTMLNOTAGS, settings->max_filesize},
        {CL_ENGINE_MAX_SCRIPTNORMALIZE, settings->max_filesize},
        {CL_ENGINE_MAX_ZIPTYPERCG, settings->max_filesize},
        {CL_ENGINE_PCRE_MAX_FILESIZE, settings->max_filesize},
        {CL_ENGINE_DISABLE_CACHE, 1},
        {CL_ENGINE_DISABLE_PE_STATS, 1},
        {CL_ENGINE_BYTECODE_MODE, CL_BYTECODE_MODE_INTERPRETER},
        {CL_ENGINE_BYTECODE_SECURITY, CL_BYTECODE_TRUST_SIGNED},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (cl_engine_set_num(engine, numbers[i].field, (long long)numbers[i].value) !=
            CL_SUCCESS) {
            return -1;
        }
    }
    return 0;
}

static void scan_options_set(struct engine *engine)
{
    const struct settings *settings = &engine->settings;

    engine->options = (struct cl_scan_options){
        .general = (settings->all_match ? CL_SCAN_GENERAL_ALLMATCHES : 0) |
                   (settings->heuristics ? CL_SCAN_GENERAL_HEURISTICS : 0),
        .parse = ~0u,
        /* By these it says what it left out; they are findings only where the options ask. */
        .heuristic = CL_SCAN_HEURISTIC_BROKEN | CL_SCAN_HEURISTIC_BROKEN_MEDIA |
                     CL_SCAN_HEURISTIC_EXCEEDS_MAX | CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
                     CL_SCAN_HEURISTIC_ENCRYPTED_DOC |
                     (settings->alert_macros ? CL_SCAN_HEURISTIC_MACROS : 0),
    };
}

#define N_CHARSETS 24

static iconv_t charsets_kept[2 * N_CHARSETS + 1];

/* libc loads what converts a charset when it is first used, which workers cannot do any more. What
 * is opened here stays so. */
static void charsets_warm_up(void)
{
    static const char *const charsets[N_CHARSETS] = {
        "UTF-16", "UTF-16LE",     "UTF-16BE",     "UTF-32",       "UTF-32LE",     "UTF-32BE",
        "UCS-4",  "UNICODE",      "UTF-7",        "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-15",
        "KOI8-R", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1254", "BIG5",
        "GB2312", "GBK",          "SHIFT_JIS",    "EUC-JP",       "EUC-KR",       "ISO-2022-JP",
    };

    for (size_t i = 0; i < N_CHARSETS; i++) {
        charsets_kept[2 * i] = iconv_open("UTF-8", charsets[i]);
        charsets_kept[2 * i + 1] = iconv_open("UTF-16BE", charsets[i]);
    }
    charsets_kept[2 * N_CHARSETS] = iconv_open("UTF-8//TRANSLIT", "ISO-8859-1");
}

static int paths_load(struct engine *engine, const char *paths, struct load_error *error)
{
    char *copy = strdup(paths);
    char *rest = copy;
    int r = 0;

    if (!copy) {
        return load_error_set(error, "out of memory; give the provider more (`memory-mib`)");
    }
    while (rest && r == 0) {
        const char *path = strsep(&rest, ":");
        cl_error_t status;

        if (*path == '\0') {
            continue;
        }
        status = cl_load(path, engine->engine, &engine->n_signatures,
                         database_options(&engine->settings));
        /* Rules of YARA that do not compile are passed over by it with nothing but a message. */
        if (status != CL_SUCCESS || loading.reason[0] != '\0') {
            r = load_failed(path, status == CL_SUCCESS ? "cannot be used" : cl_strerror(status),
                            error);
        }
    }
    free(copy);
    return r;
}

static int engine_fill(struct engine *engine, const char *paths, const char *scratch,
                       struct load_error *error)
{
    cl_error_t status;

    engine->engine = cl_engine_new();
    if (!engine->engine) {
        return load_error_set(error, "libclamav cannot make an engine: out of memory");
    }
    if (numbers_set(engine->engine, &engine->settings) < 0 ||
        cl_engine_set_str(engine->engine, CL_ENGINE_TMPDIR, scratch) != CL_SUCCESS) {
        return load_error_set(error, "libclamav does not take its settings");
    }
    cl_engine_set_clcb_sigload(engine->engine, signature_seen, engine);
    if (paths_load(engine, paths, error) < 0) {
        return -1;
    }
    if (engine->n_signatures == 0) {
        return load_error_set(error, "%s: no signature in %zu files; put a database there", paths,
                              engine->n_files);
    }
    status = cl_engine_compile(engine->engine);
    return status == CL_SUCCESS ? 0 : load_failed(paths, cl_strerror(status), error);
}

int engine_load(struct engine *engine, const char *paths, const char *scratch,
                struct load_error *error)
{
    struct database_files files = DATABASE_FILES_INIT;
    int r = -1;

    cl_set_clcb_msg(message_taken);
    loading = (struct loading){.engine = engine};
    if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) {
        return load_error_set(error, "libclamav cannot be initialised");
    }
    if (database_files_find(&files, paths, error) == 0) {
        engine->n_files = files.n_paths;
        memcpy(engine->digest, files.digest, sizeof(engine->digest));
        r = engine_fill(engine, paths, scratch, error);
    }
    database_files_fini(&files);
    loading.engine = NULL;
    if (r < 0) {
        return r;
    }
    charsets_warm_up();
    scan_options_set(engine);
    engine_scan_prepare(engine);
    return 0;
}

void engine_fini(struct engine *engine)
{
    if (engine->engine) {
        cl_engine_free(engine->engine);
        engine->engine = NULL;
    }
}
