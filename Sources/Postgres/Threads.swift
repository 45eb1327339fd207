internal import CLibPQ

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs a body on an operating system thread of its own, which ends with it.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(ThreadBody(name: name, body: body)).toOpaque()
    #if canImport(Glibc)
    var thread = pthread_t()
    #else
    var thread: pthread_t?
    #endif
    let failed = pthread_create(
        &thread, nil,
        { context in
            #if canImport(Glibc)
            let context: UnsafeMutableRawPointer? = context
            #endif
            guard let context else { return nil }
            let thread = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
            clibpq_name_thread(String(thread.name.prefix(15)))
            thread.body()
            return nil
        }, context)
    precondition(failed == 0, "no thread \(name): \(String(cString: strerror(failed)))")
    #if canImport(Glibc)
    pthread_detach(thread)
    #else
    if let thread { pthread_detach(thread) }
    #endif
}

/// A number that no other running thread has.
func currentThread() -> UInt {
    #if canImport(Glibc)
    pthread_self()
    #else
    UInt(bitPattern: pthread_self())
    #endif
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
