import NIOCore
import NIOWebSocket
import Testing

@testable import Gateway

@Suite struct MessageAssemblerTests {
    private func frame(
        _ opcode: WebSocketOpcode, _ text: String, isFinal: Bool = true, isMasked: Bool = true
    ) -> WebSocketFrame {
        let key: WebSocketMaskingKey = [1, 2, 3, 4]
        var data = ByteBuffer(string: text)
        if isMasked { data.webSocketMask(key) }
        return WebSocketFrame(fin: isFinal, opcode: opcode, maskKey: isMasked ? key : nil, data: data)
    }

    private func assembler() -> MessageAssembler { MessageAssembler(bytesMax: 8, fragmentsMax: 3) }

    @Test func `whole messages and messages in fragments are the same`() {
        var assembler = assembler()
        #expect(assembler.frameArrived(frame(.text, "abc")) == .text(ByteBuffer(string: "abc")))
        #expect(assembler.frameArrived(frame(.text, "ab", isFinal: false)) == .incomplete)
        #expect(assembler.frameArrived(frame(.ping, "p")) == .ping(ByteBuffer(string: "p")))
        #expect(assembler.frameArrived(frame(.pong, "")) == .pong)
        #expect(assembler.frameArrived(frame(.continuation, "cd", isFinal: false)) == .incomplete)
        #expect(assembler.frameArrived(frame(.continuation, "ef")) == .text(ByteBuffer(string: "abcdef")))
        #expect(assembler.frameArrived(frame(.text, "")) == .text(ByteBuffer()))
    }

    @Test func `whatever breaks the protocol closes with the code for it`() {
        let broken: [([WebSocketFrame], MessageAssembler.Event)] = [
            ([frame(.text, "a", isMasked: false)], .close(.protocolError, fault: .protocolError)),
            ([frame(.continuation, "a")], .close(.protocolError, fault: .protocolError)),
            ([frame(.text, "a", isFinal: false), frame(.text, "b")], .close(.protocolError, fault: .protocolError)),
            ([frame(.binary, "a")], .close(.unacceptableData, fault: .notText)),
            ([frame(.text, "123456789")], .close(.messageTooLarge, fault: .tooBig)),
            (
                [frame(.text, "12345", isFinal: false), frame(.continuation, "6789")],
                .close(.messageTooLarge, fault: .tooBig)
            ),
            (
                [frame(.text, "1", isFinal: false)]
                    + Array(repeating: frame(.continuation, "", isFinal: false), count: 3),
                .close(.messageTooLarge, fault: .tooBig)
            ),
            ([frame(.connectionClose, "")], .close(.normalClosure, fault: nil)),
            ([frame(.connectionClose, "\u{3}\u{E9}")], .close(.protocolError, fault: nil)),
        ]
        for (frames, expected) in broken {
            var assembler = assembler()
            let events = frames.map { assembler.frameArrived($0) }
            #expect(events.last == expected)
        }
    }
}
