import { Box, Stack, Text } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import { piecesOf } from "./pieces";
import type { Message } from "./shapes";
import { useNames } from "./useNames";

/** One message as a phone shows it, with a line where each part begins. */
export function PhoneFrame({ message }: { message: Message }) {
  const say = useSay();
  const names = useNames();
  const parts = piecesOf(message).map((stretches, place) => ({ stretches, no: place + 1 }));
  return (
    <Box
      borderWidth="2px"
      borderRadius="3xl"
      bg="bg.subtle"
      maxW="22rem"
      w="full"
      mx="auto"
      px={3}
      py={4}
    >
      <Text fontWeight="semibold" textAlign="center" mb={3} overflowWrap="anywhere">
        {names.sender(message.sender)}
      </Text>
      <Stack bg="bg.muted" borderRadius="2xl" px={4} py={3} gap={0}>
        {parts.map(({ stretches, no }) => (
          <Box key={no}>
            {no > 1 && (
              <Box borderTopWidth="1px" borderStyle="dashed" my={1} fontSize="xs" color="fg.muted">
                {say("review.part_begins", { part: no, parts: parts.length })}
              </Box>
            )}
            <Text dir="auto" whiteSpace="pre-wrap" overflowWrap="anywhere">
              {stretches.map((one) =>
                one.isForeign ? (
                  <Box
                    key={one.at}
                    as="mark"
                    bg="orange.subtle"
                    color="orange.fg"
                    textDecoration="underline"
                  >
                    {one.text}
                  </Box>
                ) : (
                  one.text
                ),
              )}
            </Text>
          </Box>
        ))}
        {message.text === "" && <Text color="fg.muted">{say("review.empty_text")}</Text>}
      </Stack>
    </Box>
  );
}
