import { Box, Heading, Stack } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { title: string; children: ReactNode };

/** One thing that can be done on a page, with its heading. */
export function Panel({ title, children }: Props) {
  return (
    <Box as="section" borderWidth="1px" borderRadius="md" p={4} minW={0}>
      <Stack gap={3}>
        <Heading as="h2" size="md">
          {title}
        </Heading>
        {children}
      </Stack>
    </Box>
  );
}
