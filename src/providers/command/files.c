/*
 * files: connects "fetch to this file" with "start that file", by its name.
 *
 * The name is what follows the last slash, whatever folder, variable or quote is before it; without
 * an explicit name it is the last part of the address. Unpacking in between is followed as far as
 * "something with a path is started afterwards".
 */
#include "providers/command/files.h"

#include <string.h>

#include "providers/command/methods.h"
#include "providers/command/words.h"

#define FETCHED_MAX 32u

struct fetched {
    uint32_t word; /* that names the file */
    size_t name;   /* where the name begins in the text */
    size_t n;
    bool is_unpacked;
    bool is_written; /* by the line itself: nothing is fetched */
};

struct files {
    const struct commands *commands;
    const uint8_t *gives;
    unsigned view;
    struct signals *signals;
    struct fetched fetched[FETCHED_MAX];
    size_t n;
};

static const uint8_t *bytes_of(const struct commands *commands, size_t at)
{
    return commands->text->bytes + at;
}

bool file_is_output(const struct commands *commands, size_t index)
{
    static const char *const options[] = {"-o",         "--output",     "-outfile",
                                          "-outf",      "-destination", "-dest",
                                          "-path",      "-filepath",    "--output-document",
                                          "-of",        "-out",         "-des",
                                          "-localfile", "-so",          "-lo",
                                          "-slo",       "-sso",         "-fsslo",
                                          "-sslo",      "-kso",         "-sko",
                                          "-fslo",      "-qo",          "-nvo",
                                          "-skLo",      "-ko",          "-fo",
                                          "-d"};
    const struct word_at *before;

    if (index == 0 || commands->words[index - 1].command != commands->words[index].command) {
        return false;
    }
    before = &commands->words[index - 1];
    if (commands->text->bytes[before->from] != '-') {
        return false;
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t n = strlen(options[i]);

        if (before->to - before->from == n &&
            memcmp(bytes_of(commands, before->from), options[i], n) == 0) {
            return true;
        }
    }
    /* curl's options run together: -fsSLo. */
    return before->to - before->from > 2 && before->to - before->from <= 8 &&
           commands->text->bytes[before->from + 1] != '-' &&
           commands->text->bytes[before->to - 1] == 'o';
}

bool file_is_variable(const struct commands *commands, const struct word_at *word,
                      const struct word_at *assigned)
{
    const uint8_t *name = bytes_of(commands, assigned->from);
    size_t n = assigned->to - assigned->from - 1;
    const uint8_t *text = bytes_of(commands, word->from);
    size_t n_text = word->to - word->from;

    if (n > 0 && *name == '$') {
        name++;
        n--;
    }
    if (n == 0 || n_text < n + 1 || text[0] != '$') {
        return false;
    }
    text += text[1] == '{' ? 2 : 1;
    n_text -= (size_t)(text - bytes_of(commands, word->from));
    if (n_text < n || memcmp(text, name, n) != 0) {
        return false;
    }
    return n_text == n || strchr(".}[:,", text[n]) != NULL;
}

/* The name of a file in a word: after the last slash, without what rundll32 has after a comma. */
static void name_of(const struct commands *commands, const struct word_at *word, size_t *ret_from,
                    size_t *ret_n)
{
    size_t from = word->name;
    size_t to = word->to;
    const uint8_t *mark;

    /* -o=name, /tr:name */
    mark = memrchr(bytes_of(commands, from), '=', to - from);
    if (mark) {
        from = (size_t)(mark + 1 - commands->text->bytes);
    }
    mark = memchr(bytes_of(commands, from), ',', to - from);
    if (mark && mark > bytes_of(commands, from)) {
        to = (size_t)(mark - commands->text->bytes);
    }
    mark = memchr(bytes_of(commands, from), '?', to - from);
    if (mark && mark > bytes_of(commands, from)) {
        to = (size_t)(mark - commands->text->bytes);
    }
    *ret_from = from;
    *ret_n = to - from;
}

static void fetched_add(struct files *files, uint32_t index, bool is_written)
{
    const struct commands *commands = files->commands;
    struct fetched *fetched = &files->fetched[files->n];

    if (files->n == FETCHED_MAX) {
        files->signals->is_incomplete |= !is_written;
        return;
    }
    *fetched = (struct fetched){.word = index, .is_written = is_written};
    name_of(commands, &commands->words[index], &fetched->name, &fetched->n);
    if (fetched->n == 0 ||
        (fetched->n == 1 && strchr("-.", commands->text->bytes[fetched->name]) != NULL)) {
        return;
    }
    files->n++;
    if (!is_written) {
        signals_add(files->signals, FACT_FETCH_TO_FILE, files->view, commands->text,
                    commands->words[index].from, commands->words[index].to);
    }
}

static uint32_t ancestor_head(const struct commands *commands, uint32_t command, unsigned steps)
{
    while (steps-- > 0 && command != COMMAND_NONE) {
        if (commands->commands[command].head != COMMAND_NONE) {
            return commands->commands[command].head;
        }
        command = commands->commands[command].parent;
    }
    return COMMAND_NONE;
}

/* Whether another command reads what this one puts out. */
static bool is_read(const struct commands *commands, uint32_t command)
{
    for (uint32_t i = command + 1; i < commands->n_commands; i++) {
        if (commands->commands[i].input == command) {
            return true;
        }
    }
    return false;
}

/* Whether curl is told to keep the name (-O among other options, in lower case by now). */
static bool keeps_name(const struct commands *commands, uint32_t head)
{
    for (uint32_t i = head + 1; i < commands->n_words; i++) {
        const struct word_at *word = &commands->words[i];
        const uint8_t *bytes = bytes_of(commands, word->from);

        if (word->command != commands->words[head].command) {
            return false;
        }
        if (bytes[0] == '-' && (bytes[1] == '-' ? commands_word_is(commands, word, "--remote-name")
                                                : commands_word_has(commands, word, "o"))) {
            return true;
        }
    }
    return false;
}

/* Whether the word, of a command that fetches, names the file that it fetches to. */
static bool is_target(const struct files *files, uint32_t index)
{
    const struct commands *commands = files->commands;
    const struct word_at *word = &commands->words[index];
    const struct command *command = &commands->commands[word->command];
    bool is_last =
        index + 1 == commands->n_words || commands->words[index + 1].command != word->command;
    bool is_address = commands_word_has(commands, word, "://");
    uint32_t head = command->head;

    /* Of a program that fetches, or of what reads from it; in other languages > compares. */
    if (word->before == '>') {
        return command->input != COMMAND_NONE ||
               (head != COMMAND_NONE && commands->words[head].flags & WORD_FETCH);
    }
    if (word->before || commands->text->bytes[word->from] == '-') {
        return false;
    }
    /* Lower case has made -O, which takes no name, -o. */
    if (file_is_output(commands, index) && !is_address) {
        return true;
    }
    if (head == COMMAND_NONE || head == index) {
        return false;
    }
    /* An address without a name for the file: its last part is the name. */
    if (is_address) {
        return !is_read(commands, word->command) &&
               (commands_word_is(commands, &commands->words[head], "wget") ||
                commands_word_is(commands, &commands->words[head], "certutil") ||
                commands_word_is(commands, &commands->words[head], "aria2c") ||
                (commands_word_is(commands, &commands->words[head], "curl") &&
                 keeps_name(commands, head)));
    }
    return is_last && (commands_word_is(commands, &commands->words[head], "certutil") ||
                       commands_word_is(commands, &commands->words[head], "bitsadmin") ||
                       commands_word_is(commands, &commands->words[head], "lwp-download"));
}

/* tee, Out-File, Set-Content: a file for what comes through a pipe. */
static bool is_sink(const struct files *files, uint32_t index)
{
    static const char *const sinks[] = {"tee", "out-file", "set-content", "sc", "add-content"};
    const struct commands *commands = files->commands;
    const struct command *command = &commands->commands[commands->words[index].command];

    if (command->input == COMMAND_NONE || command->head == COMMAND_NONE || command->head >= index ||
        commands->text->bytes[commands->words[index].from] == '-') {
        return false;
    }
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        if (commands_word_is(commands, &commands->words[command->head], sinks[i])) {
            return true;
        }
    }
    return false;
}

/* client.DownloadFile(address, file): the last word in the parentheses. */
static bool is_saved(const struct files *files, uint32_t index)
{
    const struct commands *commands = files->commands;
    const struct word_at *word = &commands->words[index];
    uint32_t parent = commands->commands[word->command].parent;

    if (parent == COMMAND_NONE || commands_word_has(commands, word, "://") ||
        word->to - word->from < 2) {
        return false;
    }
    for (uint32_t i = index; i > 0 && i + 8 > index; i--) {
        if (commands->words[i - 1].command == parent &&
            commands->words[i - 1].methods & METHOD_SAVE) {
            return true;
        }
    }
    return false;
}

static bool is_same_name(const struct files *files, const struct fetched *fetched,
                         const struct word_at *word)
{
    size_t from;
    size_t n;

    name_of(files->commands, word, &from, &n);
    if (n >= fetched->n && memcmp(bytes_of(files->commands, from),
                                  bytes_of(files->commands, fetched->name), fetched->n) == 0) {
        return n == fetched->n ||
               (n == fetched->n + 4 &&
                memcmp(bytes_of(files->commands, from + fetched->n), ".exe", 4) == 0);
    }
    /* start a, for a.exe */
    return fetched->n == n + 4 && n > 0 &&
           memcmp(bytes_of(files->commands, from), bytes_of(files->commands, fetched->name), n) ==
               0 &&
           memcmp(bytes_of(files->commands, fetched->name + n), ".exe", 4) == 0;
}

static bool is_one_of(const struct files *files, uint32_t head, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        if (commands_word_is(files->commands, &files->commands->words[head], names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_unpacker(const struct files *files, uint32_t head)
{
    static const char *const names[] = {"expand-archive", "tar", "unzip", "expand", "7z", NULL};

    return is_one_of(files, head, names);
}

static bool is_mover(const struct files *files, uint32_t head)
{
    static const char *const names[] = {"mv",  "cp",     "move",      "copy",
                                        "ren", "rename", "move-item", "rename-item",
                                        "rni", "mi",     "copy-item", NULL};

    return is_one_of(files, head, names);
}

/* What a fetched file is moved to, is a fetched file: the last word of the command. */
static void moved_add(struct files *files, uint32_t index, bool is_written)
{
    const struct commands *commands = files->commands;
    uint32_t last = index;

    for (uint32_t i = index + 1; i < commands->n_words && i < index + 8 &&
                                 commands->words[i].command == commands->words[index].command;
         i++) {
        if (commands->text->bytes[commands->words[i].from] != '-') {
            last = i;
        }
    }
    if (last != index && !commands_word_has(commands, &commands->words[last], "/usr/") &&
        !commands_word_has(commands, &commands->words[last], "/bin/") &&
        !commands_word_has(commands, &commands->words[last], "/opt/")) {
        fetched_add(files, last, is_written);
    }
}

/* Whether the name says that Windows starts it: what comes out of an archive is often built or
 * installed, but rarely is that a program. */
static bool is_program_name(const struct commands *commands, const struct word_at *word)
{
    static const char *const endings[] = {".exe", ".bat", ".cmd", ".vbs", ".js",
                                          ".hta", ".lnk", ".scr", ".ps1"};
    size_t n_word = word->to - word->name;

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (n_word > n && memcmp(bytes_of(commands, word->to - n), endings[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the word is started by its command: as its program, or by a program that starts things.
 */
static bool is_started(const struct files *files, uint32_t index)
{
    const struct commands *commands = files->commands;
    const struct word_at *word = &commands->words[index];
    uint32_t head = ancestor_head(commands, word->command, 3);

    if (word->before || head == COMMAND_NONE) {
        return false;
    }
    if (head == index) {
        return true;
    }
    return commands->words[head].flags & (WORD_START | WORD_RUN | WORD_PREFIX) &&
           !(commands->words[head].flags & WORD_FETCH);
}

static void started_note(struct files *files, uint32_t index)
{
    const struct commands *commands = files->commands;
    const struct word_at *word = &commands->words[index];
    uint32_t head = ancestor_head(commands, word->command, 3);

    for (size_t i = 0; i < files->n; i++) {
        struct fetched *fetched = &files->fetched[i];
        const struct word_at *target = &commands->words[fetched->word];
        bool is_same;

        if (word->command == target->command || index == fetched->word) {
            continue;
        }
        is_same = is_same_name(files, fetched, word);
        if (is_same && head != COMMAND_NONE && is_unpacker(files, head)) {
            fetched->is_unpacked = true;
        }
        if (is_same && head != COMMAND_NONE && is_mover(files, head)) {
            moved_add(files, index, fetched->is_written);
            return;
        }
        if (is_started(files, index) &&
            (is_same || (fetched->is_unpacked && (commands_word_has(commands, word, "\\") ||
                                                  is_program_name(commands, word))))) {
            signals_add(files->signals,
                        fetched->is_written ? FACT_WRITTEN_STARTED : FACT_FETCH_STARTED,
                        files->view, commands->text, target->from, word->to);
            return;
        }
    }
}

void files_note(const struct commands *commands, const uint8_t *gives, unsigned view,
                struct signals *signals)
{
    struct files files = {.commands = commands, .gives = gives, .view = view, .signals = signals};

    for (uint32_t i = 0; i < commands->n_words; i++) {
        const struct word_at *word = &commands->words[i];

        if (files.n > 0) {
            started_note(&files, i);
        }
        if (is_saved(&files, i) ||
            (gives[word->command] & METHOD_FETCH && (is_target(&files, i) || is_sink(&files, i)))) {
            fetched_add(&files, i, false);
        } else if (word->before == '>' || is_sink(&files, i)) {
            fetched_add(&files, i, true);
        }
    }
}
