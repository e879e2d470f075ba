import { Box, Heading, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { title: string; children?: ReactNode };

/** What stands where nothing is yet: what it would be, and how to make the first one. */
export function Empty({ title, children }: Props) {
  return (
    <Box borderWidth="1px" borderStyle="dashed" borderRadius="md" px={6} py={8} textAlign="center">
      <Heading as="h2" size="md" mb={2}>
        {title}
      </Heading>
      <Text as="div" color="fg.muted">
        {children}
      </Text>
    </Box>
  );
}
