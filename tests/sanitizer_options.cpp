// Tests ask for more memory than there is; the address sanitizer shall refuse it as the system does, not abort.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
