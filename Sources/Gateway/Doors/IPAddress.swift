import Glibc

/// An address as numbers: four bytes, or sixteen.
struct IPAddress: Equatable {
    let bytes: [UInt8]

    init?(_ text: String) {
        // `fe80::1%eth0` names a way out beside the address.
        let text = String(text.prefix { $0 != "%" })
        var all = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &all) == 1 {
            bytes = Array(all[..<4])
        } else if inet_pton(AF_INET6, text, &all) == 1 {
            let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
            bytes = isMapped ? Array(all[12...]) : all
        } else {
            return nil
        }
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}
