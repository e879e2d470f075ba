import { Box, Heading, HStack, Stack } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { title: string; aside?: ReactNode; children: ReactNode };

/** One question of the reviewer and its answer. */
export function Section({ title, aside, children }: Props) {
  return (
    <Box as="section" aria-label={title} borderWidth="1px" borderRadius="md" p={4} minW={0}>
      <Stack gap={3}>
        <HStack justify="space-between" wrap="wrap" gap={2}>
          <Heading as="h2" size="md">
            {title}
          </Heading>
          {aside}
        </HStack>
        {children}
      </Stack>
    </Box>
  );
}
