import { Heading, HStack, Stack } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { title: ReactNode; actions?: ReactNode; children: ReactNode };

/** One page: its heading, what can be done on it, and the rest. */
export function Page({ title, actions, children }: Props) {
  return (
    <Stack gap={4} as="section">
      <HStack justify="space-between" wrap="wrap" gap={3}>
        <Heading as="h1" size="xl">
          {title}
        </Heading>
        {actions && <HStack wrap="wrap">{actions}</HStack>}
      </HStack>
      {children}
    </Stack>
  );
}
