import { Text } from "@chakra-ui/react";

/** Why the button above may not be pressed, if anything speaks against it. */
export function Why({ reason }: { reason: string }) {
  return reason === "" ? null : (
    <Text color="fg.muted" fontSize="sm" maxW="18rem">
      {reason}
    </Text>
  );
}
