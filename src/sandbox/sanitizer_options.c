/*
 * Defaults of a sanitizer's runtime, in builds that have one.
 *
 * A worker must die of its true signal, and inside the sandbox: the runtime handles none, looks for
 * no symbols (that would open files) and for no leaks (a worker ends without cleaning up). The
 * names are the runtime's.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:"
           "use_sigaltstack=0:detect_leaks=0:symbolize=0:abort_on_error=1:"
           "detect_stack_use_after_return=0:allocator_may_return_null=1:quarantine_size_mb=1";
}

__attribute__((visibility("default"), used)) const char *__ubsan_default_options(void)
{
    return "symbolize=0:print_stacktrace=0:halt_on_error=0";
}
