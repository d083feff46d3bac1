/*
 * commands: parts a line into commands and words, as roughly as all shells have in common.
 *
 * Pipes, separators and parentheses count even inside quotes: `-c "irm x | iex"` is a pipeline to
 * whoever runs it. Quotes only end words. Redirections are noted, and so is what reads whose output
 * and what stands in whose parentheses; an option that introduces a command (-c, /c) begins one.
 *
 * One pass, fixed room; what does not fit sets is_incomplete.
 */
#include "providers/command/commands.h"

#include <string.h>

#include "providers/command/words.h"

struct parser {
    struct commands *commands;
    const struct text *text;
    size_t at;
    size_t to;
    uint32_t current;
    uint32_t n_words_in_current;
    uint32_t stack[NESTING_MAX];
    uint8_t opened_by[NESTING_MAX];
    uint32_t counts[NESTING_MAX];
    size_t n_stack;
    uint8_t redirection;
    bool may_be_inline; /* the last word was -c or the like, or a quote has just been opened */
};

bool commands_word_is(const struct commands *commands, const struct word_at *word, const char *name)
{
    const uint8_t *bytes = commands->text->bytes + word->name;
    size_t n_word = word->to - word->name;
    size_t n = strlen(name);

    if (n_word == n + 4 && memcmp(bytes + n, ".exe", 4) == 0) {
        n_word = n;
    }
    return n_word == n && memcmp(bytes, name, n) == 0;
}

bool commands_word_has(const struct commands *commands, const struct word_at *word,
                       const char *part)
{
    return memmem(commands->text->bytes + word->from, word->to - word->from, part, strlen(part)) !=
           NULL;
}

static void command_new(struct parser *parser, uint32_t parent, uint32_t input)
{
    struct commands *commands = parser->commands;
    const struct command *before = &commands->commands[parser->current];
    uint8_t opened_by =
        commands->n_commands > 0 && before->parent == parent ? before->opened_by : 0;

    if (commands->n_commands == COMMANDS_MAX) {
        commands->is_incomplete = true;
        return;
    }
    commands->commands[commands->n_commands] = (struct command){
        .parent = parent,
        .input = input,
        .head = COMMAND_NONE,
        .first = (uint32_t)commands->n_words,
        .n_words_before = parser->n_words_in_current,
        .opened_by = opened_by,
    };
    parser->current = (uint32_t)commands->n_commands++;
    parser->n_words_in_current = 0;
    parser->may_be_inline = false;
    parser->redirection = 0;
}

static uint32_t parent_of(const struct parser *parser)
{
    return parser->commands->commands[parser->current].parent;
}

static void open_nested(struct parser *parser, uint8_t by)
{
    if (parser->n_stack == NESTING_MAX) {
        parser->commands->is_incomplete = true;
        return;
    }
    parser->stack[parser->n_stack] = parser->current;
    parser->opened_by[parser->n_stack] = by;
    parser->counts[parser->n_stack++] = parser->n_words_in_current;
    command_new(parser, parser->current, COMMAND_NONE);
    parser->commands->commands[parser->current].opened_by = by;
}

static void close_nested(struct parser *parser)
{
    const struct command *child;

    if (parser->n_stack == 0) {
        return;
    }
    child = &parser->commands->commands[parser->current];
    parser->n_stack--;
    parser->current = parser->stack[parser->n_stack];
    /* &('iex') (...): what is in the parentheses names the program. */
    if (parser->commands->commands[parser->current].head == COMMAND_NONE &&
        child->head != COMMAND_NONE && parser->n_words_in_current == 1 &&
        parser->commands->words[child->head].flags & WORD_RUN) {
        parser->commands->commands[parser->current].head = child->head;
    }
    parser->n_words_in_current = parser->counts[parser->n_stack];
    parser->may_be_inline = false;
}

static bool is_backtick_open(const struct parser *parser)
{
    return parser->n_stack > 0 && parser->opened_by[parser->n_stack - 1] == '`';
}

/* Options that a command follows. */
static bool introduces_command(const struct commands *commands, const struct word_at *word)
{
    static const char *const options[] = {"/c",  "/k",     "/r",     "-c",  "-command", "-com",
                                          "/co", "-exec",  "--exec", "-lc", "-ic",      "-e",
                                          "-x",  "script", "--",     "-a",  "/command", "/s"};

    if (!strchr("-/s", commands->text->bytes[word->from])) {
        return false;
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t n = strlen(options[i]);

        if (word->to - word->from == n &&
            memcmp(commands->text->bytes + word->from, options[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* The x of `name=x sh`; $name=x is PowerShell, where x is the program. */
static bool is_value(const struct commands *commands, uint32_t index)
{
    const struct word_at *word = &commands->words[index];
    const struct word_at *before = index > 0 ? word - 1 : word;

    return before->to == word->from && before->command == word->command &&
           commands->text->bytes[before->to - 1] == '=' &&
           commands->text->bytes[before->from] != '$';
}

static void head_set(struct parser *parser, uint32_t index)
{
    struct commands *commands = parser->commands;
    struct command *command = &commands->commands[parser->current];
    const struct word_at *word = &commands->words[index];
    uint8_t first = commands->text->bytes[word->from];
    bool is_option = first == '-' || (first == '/' && word->to - word->from <= 3);

    if (command->head == COMMAND_NONE) {
        if (!is_option && !is_value(commands, index) &&
            memchr(commands->text->bytes + word->from, '=', word->to - word->from) == NULL) {
            command->head = index;
        }
        return;
    }
    /* sudo -E bash: the program is behind the word that runs it. */
    if (commands->words[command->head].flags & WORD_PREFIX && !is_option) {
        bool is_known_head = (commands->words[command->head].flags & ~(uint32_t)WORD_PREFIX) != 0;

        if (!is_known_head || word->flags != WORD_PLAIN) {
            command->head = index;
        }
    }
}

/* Whether bytes `from` to `to` - 1 are the name of a variable: then a `=` ends the word. */
static bool is_variable(const struct text *text, size_t from, size_t to)
{
    if (from == to || text->bytes[from] == '-' || text->bytes[from] == '/') {
        return false;
    }
    for (size_t i = from + (text->bytes[from] == '$'); i < to; i++) {
        uint8_t c = text->bytes[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ':')) {
            return false;
        }
    }
    return true;
}

static void word_add(struct parser *parser, size_t from, size_t to)
{
    struct commands *commands = parser->commands;
    struct word_at word = {.from = (uint32_t)from, .to = (uint32_t)to, .name = (uint32_t)from};
    struct command *command;
    bool is_assignment;

    for (size_t i = from; i + 1 < to; i++) {
        if (parser->text->bytes[i] == '/' || parser->text->bytes[i] == '\\') {
            word.name = (uint32_t)i + 1;
        }
    }
    if (commands->n_words == WORDS_MAX) {
        commands->is_incomplete = true;
        return;
    }
    word.before = parser->redirection;
    word.flags = word.before
                     ? WORD_PLAIN
                     : word_is((const char *)parser->text->bytes + word.name, to - word.name);
    parser->redirection = 0;
    is_assignment = parser->text->bytes[to - 1] == '=' && is_variable(parser->text, from, to - 1);
    if (parser->n_words_in_current > (commands->commands[parser->current].is_assigned ? 1u : 0u) &&
        ((parser->may_be_inline && (word.flags != WORD_PLAIN || is_assignment)) ||
         word.flags & WORD_EXPRESSION)) {
        uint32_t before = parser->current;

        command_new(parser, parent_of(parser), COMMAND_NONE);
        if (parser->current != before) {
            commands->commands[parser->current].input = commands->commands[before].input;
            commands->commands[parser->current].is_inline = true;
        }
    }
    word.command = parser->current;
    command = &commands->commands[parser->current];
    command->is_assigned |= is_assignment && parser->n_words_in_current == 0;
    commands->words[commands->n_words] = word;
    if (!word.before) {
        head_set(parser, (uint32_t)commands->n_words);
    }
    commands->n_words++;
    parser->n_words_in_current++;
    parser->may_be_inline = introduces_command(commands, &word);
}

/* Characters that end a word. */
static bool is_break(uint8_t c)
{
    return c <= ' ' || strchr("\"'|&;()`{}<>", c) != NULL;
}

/* The $ of $(...), the @ of @(...), the number of 2>file, the type of [xml]$x, a line end as
 * printf writes it. */
static bool is_part_of_mark(const struct text *text, size_t from, size_t to)
{
    uint8_t next = text_at(text, to);

    if (text->bytes[from] == '[' && text->bytes[to - 1] == ']' && next == '$') {
        return true;
    }
    if (to - from == 2 && text->bytes[from] == '\\') {
        return strchr("nrt", text->bytes[from + 1]) != NULL;
    }
    if (to - from != 1) {
        return false;
    }
    if (text->bytes[from] == '\\') {
        return true; /* of \" */
    }
    return next == '>' ? text->bytes[from] >= '0' && text->bytes[from] <= '9'
                       : (next == '(' || next == '{') && strchr("$@", text->bytes[from]) != NULL;
}

/* Whether an & inside an address is followed by `name=`, and does not end the command. */
static bool is_query(const struct text *text, size_t at, size_t to)
{
    size_t i = at;

    while (i < to && !is_break(text->bytes[i]) && text->bytes[i] != '=') {
        i++;
    }
    return i > at && i < to && text->bytes[i] == '=';
}

/* `export x=` assigns as `x=` does. */
static bool is_declaration(const struct text *text, size_t from, size_t to)
{
    static const char *const words[] = {"export", "local", "declare", "typeset", "readonly"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);

        if (to - from == n && memcmp(text->bytes + from, words[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static void word_read(struct parser *parser)
{
    const struct text *text = parser->text;
    size_t from = parser->at;
    size_t i = from;
    bool is_address = false;

    for (; i < parser->to; i++) {
        uint8_t c = text->bytes[i];

        is_address |= c == ':' && text_at(text, i + 1) == '/';
        if (is_address && c == '&' && is_query(text, i + 1, parser->to)) {
            continue;
        }
        /* ${name} is a word. */
        if (c == '{' && i > from && text->bytes[i - 1] == '$') {
            while (i + 1 < parser->to && text->bytes[i] != '}' && text->bytes[i] > ' ') {
                i++;
            }
            continue;
        }
        if (is_break(c)) {
            break;
        }
        if (c == ']' && text->bytes[from] == '[' && text_at(text, i + 1) == '$') {
            i++;
            break;
        }
        if (c == '=' && (parser->n_words_in_current == 0 || parser->may_be_inline) &&
            is_variable(text, from, i)) {
            i++;
            break;
        }
    }
    if (i == from) {
        parser->at++; /* cannot be: breaks are handled before */
        return;
    }
    parser->at = i;
    if (parser->n_words_in_current == 0 && is_declaration(text, from, i)) {
        return;
    }
    if (!is_part_of_mark(text, from, i)) {
        word_add(parser, from, i);
    }
}

/* | and ||, & and &&. */
static void joint_read(struct parser *parser, uint8_t c)
{
    const struct text *text = parser->text;
    bool is_double = text_at(text, parser->at + 1) == c;

    if (c == '&' && parser->at > 0 && text->bytes[parser->at - 1] == '>') {
        parser->at++; /* 2>&1 */
        return;
    }
    if (c == '&' && text_at(text, parser->at + 1) == '>') {
        parser->at++;
        return;
    }
    if (c == '|' && !is_double) {
        command_new(parser, parent_of(parser), parser->current);
    } else {
        command_new(parser, parent_of(parser), COMMAND_NONE);
    }
    parser->at += is_double ? 2 : 1;
}

static void redirection_read(struct parser *parser, uint8_t c)
{
    const struct text *text = parser->text;

    if (c == '<' && text_at(text, parser->at + 1) == '(') {
        parser->at++; /* the parenthesis opens the command */
        return;
    }
    /* => and -> are no redirections. */
    if (c == '>' && parser->at > 0 &&
        (text->bytes[parser->at - 1] == '=' || text->bytes[parser->at - 1] == '-')) {
        parser->at++;
        return;
    }
    while (text_at(text, parser->at) == c) {
        parser->at++;
    }
    parser->redirection = c;
}

static void step(struct parser *parser)
{
    uint8_t c = parser->text->bytes[parser->at];

    switch (c) {
    case '|':
    case '&':
        joint_read(parser, c);
        return;
    case ';':
    case '\n':
        command_new(parser, parent_of(parser), COMMAND_NONE);
        break;
    case '(':
    case '{':
        open_nested(parser, c);
        break;
    case ')':
    case '}':
        close_nested(parser);
        break;
    case '`':
        if (is_backtick_open(parser)) {
            close_nested(parser);
        } else {
            open_nested(parser, c);
        }
        break;
    case '<':
    case '>':
        redirection_read(parser, c);
        return;
    case '"':
    case '\'':
        parser->may_be_inline |= parser->at > 0 && (parser->text->bytes[parser->at - 1] == ' ' ||
                                                    parser->text->bytes[parser->at - 1] == '=');
        break;
    default:
        if (c > ' ') {
            word_read(parser);
            return;
        }
    }
    parser->at++;
}

void commands_read(struct commands *commands, const struct text *text, size_t from, size_t to)
{
    struct parser parser = {.commands = commands, .text = text, .at = from, .to = to};

    commands->text = text;
    commands->n_words = 0;
    commands->n_commands = 0;
    command_new(&parser, COMMAND_NONE, COMMAND_NONE);
    while (parser.at < to) {
        step(&parser);
    }
}
