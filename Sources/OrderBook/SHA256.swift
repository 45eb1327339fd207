/// SHA-256 (FIPS 180-4), in parts.
public struct SHA256: Sendable {
    private var state = SHA256State()
    /// The block that is being filled, as eight big-endian words.
    private var block = SIMD8<UInt64>(repeating: 0)
    private var byteCount: UInt64 = 0

    public init() {}

    public mutating func update(_ byte: UInt8) {
        let word = Int(truncatingIfNeeded: byteCount >> 3) & 7
        block[word] = block[word] << 8 | UInt64(byte)
        byteCount &+= 1
        if byteCount & 63 == 0 { state.compress(block) }
    }

    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while byteCount & 63 != 0, let byte = rest.popFirst() { update(byte) }
        var start = rest.startIndex
        while rest.endIndex - start >= 64 {
            for word in 0..<8 { block[word] = Self.word(rest, at: start + 8 * word) }
            state.compress(block)
            start += 64
        }
        byteCount &+= UInt64(start - rest.startIndex)
        while start < rest.endIndex {
            update(rest[start])
            start += 1
        }
    }

    public mutating func update(_ bytes: [UInt8]) { update(bytes[...]) }

    @inline(__always)
    private static func word(_ bytes: ArraySlice<UInt8>, at start: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<8 { word = word << 8 | UInt64(bytes[start + offset]) }
        return word
    }

    /// The digest of everything given so far. The value may be used no further.
    public consuming func finalize() -> Digest {
        let bitCount = byteCount &* 8
        update(0x80)
        while byteCount & 7 != 0 { update(0) }
        while byteCount & 63 != 56 { for _ in 0..<8 { update(0) } }
        block[7] = bitCount
        state.compress(block)
        return state.digest
    }

    /// The digest of some bytes.
    public static func hash(_ bytes: some Sequence<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(Array(bytes))
        return hash.finalize()
    }

    /// The digest of big-endian 64-bit words; leaves the array as it was.
    static func hash(words: inout [UInt64]) -> Digest {
        let count = words.count
        words.append(1 << 63)
        while words.count & 7 != 7 { words.append(0) }
        words.append(UInt64(count) * 64)
        var state = SHA256State()
        var start = 0
        while start < words.count {
            state.compress(
                SIMD8(
                    words[start], words[start + 1], words[start + 2], words[start + 3], words[start + 4],
                    words[start + 5], words[start + 6], words[start + 7]))
            start += 8
        }
        words.removeLast(words.count - count)
        return state.digest
    }
}

/// The eight working variables between blocks.
struct SHA256State: Sendable {
    private var a: UInt32 = 0x6a09_e667
    private var b: UInt32 = 0xbb67_ae85
    private var c: UInt32 = 0x3c6e_f372
    private var d: UInt32 = 0xa54f_f53a
    private var e: UInt32 = 0x510e_527f
    private var f: UInt32 = 0x9b05_688c
    private var g: UInt32 = 0x1f83_d9ab
    private var h: UInt32 = 0x5be0_cd19

    var digest: Digest { Digest((pair(a, b), pair(c, d), pair(e, f), pair(g, h))) }

    private func pair(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }

    /// The schedule lives in sixteen words that are renewed in place after each sixteen rounds: no array, no bounds.
    mutating func compress(_ block: SIMD8<UInt64>) {
        var schedule = Schedule(block)
        var next = self
        next.sixteenRounds(
            &schedule, isFirst: true, 0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1,
            0x923f_82a4,
            0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7,
            0xc19b_f174)
        next.sixteenRounds(
            &schedule, isFirst: false, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa,
            0x5cb0_a9dc,
            0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351,
            0x1429_2967)
        next.sixteenRounds(
            &schedule, isFirst: false, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb,
            0x81c2_c92e,
            0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585,
            0x106a_a070)
        next.sixteenRounds(
            &schedule, isFirst: false, 0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a,
            0x5b9c_ca4f,
            0x682e_6ff3, 0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
            0xc671_78f2)
        a &+= next.a
        b &+= next.b
        c &+= next.c
        d &+= next.d
        e &+= next.e
        f &+= next.f
        g &+= next.g
        h &+= next.h
    }

    @inline(__always)
    private mutating func sixteenRounds(
        _ w: inout Schedule, isFirst: Bool, _ k0: UInt32, _ k1: UInt32, _ k2: UInt32, _ k3: UInt32, _ k4: UInt32,
        _ k5: UInt32,
        _ k6: UInt32, _ k7: UInt32, _ k8: UInt32, _ k9: UInt32, _ k10: UInt32, _ k11: UInt32, _ k12: UInt32,
        _ k13: UInt32, _ k14: UInt32, _ k15: UInt32
    ) {
        if !isFirst { w.w0 = next(w.w0, w.w1, w.w9, w.w14) }
        round(k0 &+ w.w0)
        if !isFirst { w.w1 = next(w.w1, w.w2, w.w10, w.w15) }
        round(k1 &+ w.w1)
        if !isFirst { w.w2 = next(w.w2, w.w3, w.w11, w.w0) }
        round(k2 &+ w.w2)
        if !isFirst { w.w3 = next(w.w3, w.w4, w.w12, w.w1) }
        round(k3 &+ w.w3)
        if !isFirst { w.w4 = next(w.w4, w.w5, w.w13, w.w2) }
        round(k4 &+ w.w4)
        if !isFirst { w.w5 = next(w.w5, w.w6, w.w14, w.w3) }
        round(k5 &+ w.w5)
        if !isFirst { w.w6 = next(w.w6, w.w7, w.w15, w.w4) }
        round(k6 &+ w.w6)
        if !isFirst { w.w7 = next(w.w7, w.w8, w.w0, w.w5) }
        round(k7 &+ w.w7)
        if !isFirst { w.w8 = next(w.w8, w.w9, w.w1, w.w6) }
        round(k8 &+ w.w8)
        if !isFirst { w.w9 = next(w.w9, w.w10, w.w2, w.w7) }
        round(k9 &+ w.w9)
        if !isFirst { w.w10 = next(w.w10, w.w11, w.w3, w.w8) }
        round(k10 &+ w.w10)
        if !isFirst { w.w11 = next(w.w11, w.w12, w.w4, w.w9) }
        round(k11 &+ w.w11)
        if !isFirst { w.w12 = next(w.w12, w.w13, w.w5, w.w10) }
        round(k12 &+ w.w12)
        if !isFirst { w.w13 = next(w.w13, w.w14, w.w6, w.w11) }
        round(k13 &+ w.w13)
        if !isFirst { w.w14 = next(w.w14, w.w15, w.w7, w.w12) }
        round(k14 &+ w.w14)
        if !isFirst { w.w15 = next(w.w15, w.w0, w.w8, w.w13) }
        round(k15 &+ w.w15)
    }

    @inline(__always)
    private mutating func round(_ input: UInt32) {
        let sigma1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        let choice = g ^ (e & (f ^ g))
        let first = h &+ sigma1 &+ choice &+ input
        let sigma0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        let majority = b ^ ((a ^ b) & (b ^ c))
        h = g
        g = f
        f = e
        e = d &+ first
        d = c
        c = b
        b = a
        a = first &+ sigma0 &+ majority
    }

    /// Sixteen words of the message schedule.
    private struct Schedule {
        var w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15: UInt32

        @inline(__always)
        init(_ block: SIMD8<UInt64>) {
            (w0, w1) = Self.halves(block[0])
            (w2, w3) = Self.halves(block[1])
            (w4, w5) = Self.halves(block[2])
            (w6, w7) = Self.halves(block[3])
            (w8, w9) = Self.halves(block[4])
            (w10, w11) = Self.halves(block[5])
            (w12, w13) = Self.halves(block[6])
            (w14, w15) = Self.halves(block[7])
        }

        @inline(__always)
        private static func halves(_ word: UInt64) -> (UInt32, UInt32) {
            (UInt32(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word))
        }
    }
}

/// A further word of the message schedule, from four earlier ones.
@inline(__always)
private func next(_ w16: UInt32, _ w15: UInt32, _ w7: UInt32, _ w2: UInt32) -> UInt32 {
    let sigma0 = rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3
    let sigma1 = rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10
    return w16 &+ sigma0 &+ w7 &+ sigma1
}

@inline(__always)
private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word &>> count | word &<< (32 &- count) }
